#include "base/write_ring.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"

namespace lunfs {
namespace {

using Mode = WriteRing::Mode;

iovec part_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};  // iovec knows no bytes that are only read
}

/// Two ends between which each write is a message. Where the kernel has no io_uring both modes are
/// one by one, and the laws are the same.
class WriteRingTest : public testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    ours_ = FileDescriptor(ends[0]);
    theirs_ = FileDescriptor(ends[1]);
  }

  std::vector<std::string> received() {
    std::vector<std::string> messages;
    std::array<char, 256> message{};
    ssize_t size = 0;
    while ((size = recv(theirs_.get(), message.data(), message.size(), 0)) > 0) {
      messages.emplace_back(message.data(), static_cast<std::size_t>(size));
    }
    return messages;
  }

  WriteRing ring_{GetParam()};
  FileDescriptor ours_;
  FileDescriptor theirs_;
};

TEST_P(WriteRingTest, EachWriteIsOneOfItsOwnInTheirOrder) {
  const std::array first = {part_of("head"), part_of("body")};
  const std::array second = {part_of("lone")};
  std::array<WriteRing::Write, 2> writes = {{{.parts = first}, {.parts = second}}};
  ring_.run(ours_.get(), writes);
  EXPECT_EQ(received(), (std::vector<std::string>{"headbody", "lone"}));
  EXPECT_EQ(writes[0].result, 8);
  EXPECT_EQ(writes[1].result, 4);
}

TEST_P(WriteRingTest, FailedWriteHasItsErrnoAndTheOthersAreCarriedOut) {
  const std::array good = {part_of("good")};
  const std::array bad = {iovec{nullptr, 4}};
  std::array<WriteRing::Write, 3> writes = {{{.parts = good}, {.parts = bad}, {.parts = good}}};
  ring_.run(ours_.get(), writes);
  EXPECT_EQ(writes[0].result, 4);
  EXPECT_EQ(writes[1].result, -EFAULT);
  EXPECT_EQ(writes[2].result, 4);
  EXPECT_EQ(received().size(), 2U);
}

TEST_P(WriteRingTest, ManyAreCarriedOutInRunsOfWhatFits) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < WriteRing::kMost + 3; ++i) texts.push_back(std::to_string(i));
  std::vector<iovec> parts;
  for (const std::string& text : texts) parts.push_back(part_of(text));
  std::vector<WriteRing::Write> writes;
  for (const iovec& part : parts) writes.push_back({.parts = {&part, 1}});
  ring_.run(ours_.get(), writes);
  EXPECT_EQ(received(), texts);
}

TEST_P(WriteRingTest, ClosedDescriptorFailsEachWrite) {
  const std::array part = {part_of("message")};
  std::array<WriteRing::Write, 2> writes = {{{.parts = part}, {.parts = part}}};
  ring_.run(-1, writes);
  EXPECT_EQ(writes[0].result, -EBADF);
  EXPECT_EQ(writes[1].result, -EBADF);
}

/// Takes the kernel's side of every ring away.
void break_rings() {
  std::vector<int> rings;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the descriptor of this look itself
    const auto target = std::filesystem::read_symlink(entry, gone).string();
    if (target.find("[io_uring]") != std::string::npos) {
      rings.push_back(std::stoi(entry.path().filename()));
    }
  }
  for (const int ring : rings) close(ring);
}

TEST_P(WriteRingTest, WritesGoOneByOneWhenTheRingFails) {
  const std::array part = {part_of("message")};
  std::array<WriteRing::Write, 2> writes = {{{.parts = part}, {.parts = part}}};
  break_rings();
  ring_.run(ours_.get(), writes);
  EXPECT_EQ(writes[0].result, 7);
  EXPECT_EQ(writes[1].result, 7);
  EXPECT_EQ(received().size(), 2U);
  EXPECT_EQ(ring_.mode(), Mode::kOneByOne);
}

INSTANTIATE_TEST_SUITE_P(Both, WriteRingTest, testing::Values(Mode::kTogether, Mode::kOneByOne),
                         [](const auto& one) {
                           return one.param == Mode::kTogether ? "Together" : "OneByOne";
                         });

}  // namespace
}  // namespace lunfs
