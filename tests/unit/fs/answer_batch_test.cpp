#include "fs/answer_batch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/log.h"
#include "tests/support/temp_dir.h"

namespace lunfs::fs {
namespace {

using Mode = WriteRing::Mode;
using Messages = std::vector<std::string>;

/// A socket stands for /dev/fuse: each answer is a message. Where the kernel has no io_uring both
/// modes are one by one, and the laws are the same.
class AnswerBatchTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    ours_ = FileDescriptor(ends[0]);
    theirs_ = FileDescriptor(ends[1]);
    batch_.emplace(GetParam());
    batch_->begin(reactor_, ours_.get());
  }

  ssize_t answer(std::string_view header, std::span<const std::byte> payload = {}) {
    const std::array parts = {iovec{const_cast<char*>(header.data()), header.size()},
                              iovec{const_cast<std::byte*>(payload.data()), payload.size()}};
    return batch_->add(parts);
  }

  Messages received() {
    Messages messages;
    std::vector<char> message(1U << 20U);
    ssize_t size = 0;
    while ((size = recv(theirs_.get(), message.data(), message.size(), 0)) > 0) {
      messages.emplace_back(message.data(), static_cast<std::size_t>(size));
    }
    return messages;
  }

  /// A slab whose first bytes are `text`, padded to `size`.
  SlabPool::Slab slab_with(std::string_view text, std::size_t size) {
    SlabPool::Slab slab = slabs_.take();
    std::memset(slab.first(size).data(), '.', size);
    std::memcpy(slab.data(), text.data(), text.size());
    return slab;
  }

  Reactor reactor_;
  SlabPool slabs_;
  FileDescriptor ours_;
  FileDescriptor theirs_;
  std::optional<AnswerBatch> batch_;
};

TEST_P(AnswerBatchTest, AnswersOfTheHandlersAreOutBeforeRequestsAreRead) {
  Messages seen;
  bool done = false;
  const Reactor::Hook read = reactor_.after_handlers([&] { seen = received(); });
  reactor_.post([&] {
    answer("one");
    answer("two");
    EXPECT_EQ(received(), Messages{});
    done = true;
  });
  reactor_.run_until(done);
  EXPECT_EQ(seen, (Messages{"one", "two"}));
}

TEST_P(AnswerBatchTest, AnswersToTheRequestsOfATurnAreOutAtItsEnd) {
  const Reactor::Hook read = reactor_.after_handlers([&] {
    answer("one");
    answer("two");
    reactor_.stop();
  });
  reactor_.run();
  EXPECT_EQ(received(), (Messages{"one", "two"}));
}

TEST_P(AnswerBatchTest, ShortAnswerIsThatOfItsMoment) {
  std::string header = "before";
  EXPECT_EQ(answer(header), 6);
  header = "behind";
  batch_->flush();
  EXPECT_EQ(received(), Messages{"before"});
}

TEST_P(AnswerBatchTest, SlabOfAnAnswerIsNobodyElsesUntilItIsOut) {
  SlabPool::Slab slab = slab_with("data", 4096);
  const std::span<std::byte> payload = slab.first(4096);
  batch_->keep(std::move(slab));
  EXPECT_EQ(answer("head", payload), 4100);
  {
    const SlabPool::Slab other = slab_with("else", 4096);
    EXPECT_NE(other.data(), payload.data());
  }
  batch_->flush();
  EXPECT_EQ(received(), Messages{"headdata" + std::string(4092, '.')});
  const SlabPool::Slab again = slabs_.take();
  EXPECT_EQ(again.data(), payload.data());
}

TEST_P(AnswerBatchTest, PayloadThatNobodyKeepsGoesAtOnce) {
  std::vector<std::byte> payload(4096, std::byte{'a'});
  EXPECT_EQ(answer("head", payload), 4100);
  std::fill(payload.begin(), payload.end(), std::byte{'b'});
  batch_->flush();
  EXPECT_EQ(received(), Messages{"head" + std::string(4096, 'a')});
}

TEST_P(AnswerBatchTest, PayloadBesideTheKeptSlabGoesAtOnce) {
  batch_->keep(slab_with("data", 4096));
  std::vector<std::byte> payload(4096, std::byte{'a'});
  answer("head", payload);
  std::fill(payload.begin(), payload.end(), std::byte{'b'});
  batch_->flush();
  EXPECT_EQ(received(), Messages{"head" + std::string(4096, 'a')});
}

TEST_P(AnswerBatchTest, KeptSlabIsForOneAnswerOnly) {
  batch_->keep(slab_with("data", 4096));
  answer("error");
  const SlabPool::Slab again = slab_with("else", 4096);
  answer("head", std::span(again.data(), 4096));
  // Not held back: the slab that it lies in may be filled anew by its owner.
  EXPECT_EQ(received(), Messages{"headelse" + std::string(4092, '.')});
}

TEST_P(AnswerBatchTest, AnswerOf64KibWaitsForTheOthersOfItsTurn) {
  SlabPool::Slab slab = slab_with("data", 65536);
  const std::span<std::byte> payload = slab.first(65536);
  batch_->keep(std::move(slab));
  EXPECT_EQ(answer("head", payload), 65540);
  EXPECT_EQ(received(), Messages{});
  batch_->flush();
  EXPECT_EQ(received(), Messages{"headdata" + std::string(65532, '.')});
}

TEST_P(AnswerBatchTest, AnswersWithMuchDataTogetherDoNotWait) {
  constexpr std::size_t kBytes = 32768;
  constexpr std::size_t kHeld = AnswerBatch::kMostPayload / kBytes;
  const FileDescriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  batch_->end();
  batch_->begin(reactor_, nowhere.get());
  std::set<const std::byte*> slabs;  // one that is free again is used first
  for (std::size_t i = 0; i < 3 * kHeld; ++i) {
    SlabPool::Slab slab = slab_with("data", kBytes);
    const std::span<std::byte> payload = slab.first(kBytes);
    slabs.insert(payload.data());
    batch_->keep(std::move(slab));
    answer("head", payload);
  }
  batch_->end();
  EXPECT_GE(slabs.size(), kHeld);
  EXPECT_LE(slabs.size(), kHeld + 1);
}

TEST_P(AnswerBatchTest, LongAnswerGoesAtOnce) {
  SlabPool::Slab slab = slab_with("data", AnswerBatch::kLongestPayload + 1);
  const std::span<std::byte> payload = slab.first(AnswerBatch::kLongestPayload + 1);
  batch_->keep(std::move(slab));
  answer("head", payload);
  EXPECT_EQ(received().size(), 1U);
}

TEST_P(AnswerBatchTest, MoreThanTheBatchHoldsAreAllOut) {
  for (std::size_t i = 0; i < WriteRing::kMost + 5; ++i) answer("answer");
  batch_->flush();
  EXPECT_EQ(received().size(), WriteRing::kMost + 5);
}

TEST_P(AnswerBatchTest, NothingIsLeftBehindAtTheEnd) {
  answer("one");
  answer("two");
  batch_.reset();
  EXPECT_EQ(received(), (Messages{"one", "two"}));
}

TEST_P(AnswerBatchTest, AfterTheEndNothingIsWrittenToItsDescriptor) {
  answer("one");
  batch_->end();
  EXPECT_EQ(answer("two"), -1);
  batch_->flush();
  EXPECT_EQ(received(), Messages{"one"});
}

TEST_P(AnswerBatchTest, AnswerThatFailsTwiceIsLogged) {
  const lunfs::testing::TempDir folder;
  const auto old_action = std::signal(SIGPIPE, SIG_IGN);
  log::configure(log::Sink::kFile, log::Level::kWarn, folder.file("log"));
  theirs_.reset();
  answer("one");
  answer("two");
  batch_->flush();
  log::configure(log::Sink::kStderr, log::Level::kInfo);
  std::signal(SIGPIPE, old_action);
  std::ifstream file(folder.file("log"));
  const std::string logged{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_NE(logged.find("did not reach the kernel"), std::string::npos) << logged;
}

INSTANTIATE_TEST_SUITE_P(Both, AnswerBatchTest, ::testing::Values(Mode::kTogether, Mode::kOneByOne),
                         [](const auto& one) {
                           return one.param == Mode::kTogether ? "Together" : "OneByOne";
                         });

}  // namespace
}  // namespace lunfs::fs
