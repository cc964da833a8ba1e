#include "iscsi/transfer_joiner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kMaxTransfer = 1U << 20U;

class Joining : public ::testing::Test {
 protected:
  struct Command {
    std::uint64_t offset;
    std::uint64_t length;
    std::size_t parts;
    bool operator==(const Command&) const = default;
  };

  Task<Joined> send(const JoinedTransfer& run) {
    sent_.push_back({run.offset, run.length, run.in.size() + run.out.size()});
    EXPECT_TRUE(run.in.empty() != run.out.empty());
    revocation_ = run.revocation;
    cancellations_ = run.cancellations;
    due_ = run.due;
    if (failure_) throw Error(*failure_);
    co_return refuse_ ? Joined::kNotMoved : Joined::kMoved;
  }

  Transfer read(std::uint64_t block, std::uint64_t blocks = 1) {
    return {.offset = block * kBlock, .in = IoSpan(buffer_).first(blocks * kBlock)};
  }
  Transfer write(std::uint64_t block, std::uint64_t blocks = 1) {
    return {.offset = block * kBlock, .out = ConstIoSpan(buffer_).first(blocks * kBlock)};
  }

  Task<void> join_one(TransferJoiner& joiner, Transfer transfer) {
    const Joined joined = co_await joiner.join(transfer);
    (joined == Joined::kMoved ? moved_ : alone_).push_back(transfer.offset / kBlock);
  }

  /// Lets all of them come in one turn.
  void join(const std::vector<Transfer>& transfers, std::uint64_t max_transfer = kMaxTransfer) {
    TransferJoiner joiner(reactor_, max_transfer,
                          [this](const JoinedTransfer& run) { return send(run); });
    std::vector<Task<void>> tasks;
    for (const Transfer& transfer : transfers) tasks.push_back(join_one(joiner, transfer));
    run_until_done(reactor_, [](std::vector<Task<void>> all) -> Task<void> {
      co_await when_all(std::move(all));
    }(std::move(tasks)));
  }

  Reactor reactor_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(TransferJoiner::kMaxPartBytes);
  bool refuse_ = false;
  std::optional<Error> failure_;
  std::vector<Command> sent_;
  const Revocation* revocation_ = nullptr;  ///< of what was sent last, as the next one
  std::vector<const Cancellation*> cancellations_;
  std::optional<RequestContext::Clock::time_point> due_;
  std::vector<std::uint64_t> moved_;
  std::vector<std::uint64_t> alone_;
};

TEST_F(Joining, WhatCannotBeTakenBackTogetherGoesApart) {
  const Revocation one;
  const Revocation other;
  std::vector<Transfer> writes = {write(7), write(8), write(9)};
  writes[0].revocation = &one;
  writes[1].revocation = &other;
  join(writes);
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(alone_, UnorderedElementsAre(7, 8, 9));
}

TEST_F(Joining, CommandKnowsWhoMayGiveUpEachOfItsParts) {
  const Cancellation one;
  std::vector<Transfer> writes = {write(7), write(8)};
  writes[0].cancellation = &one;
  join(writes);
  EXPECT_THAT(cancellations_, ElementsAre(&one, nullptr));
}

TEST_F(Joining, CommandIsDueWithTheFirstOfItsParts) {
  const auto now = RequestContext::Clock::now();
  std::vector<Transfer> writes = {write(7), write(8), write(9)};
  join(writes);
  EXPECT_EQ(due_, std::nullopt);
  writes[1].due = now + std::chrono::seconds(2);
  writes[2].due = now + std::chrono::seconds(1);
  join(writes);
  EXPECT_EQ(due_, now + std::chrono::seconds(1));
}

TEST_F(Joining, CommandIsTakenBackWithItsParts) {
  const Revocation common;
  std::vector<Transfer> writes = {write(7), write(8)};
  for (Transfer& one : writes) one.revocation = &common;
  join(writes);
  EXPECT_THAT(sent_, ElementsAre(Command{7 * kBlock, 2 * kBlock, 2}));
  EXPECT_EQ(revocation_, &common);
}

TEST_F(Joining, ALoneTransferIsItsCallersToMove) {
  join({read(7)});
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(alone_, ElementsAre(7));
}

TEST_F(Joining, NeighboursOfOneTurnAreOneCommandWhateverTheirOrder) {
  join({read(3), read(1), read(2)});
  EXPECT_THAT(sent_, ElementsAre(Command{1 * kBlock, 3 * kBlock, 3}));
  EXPECT_THAT(moved_, UnorderedElementsAre(1, 2, 3));
}

TEST_F(Joining, AGapPartsThem) {
  join({read(1), read(2), read(4), read(5), read(9)});
  EXPECT_THAT(sent_, UnorderedElementsAre(Command{1 * kBlock, 2 * kBlock, 2},
                                          Command{4 * kBlock, 2 * kBlock, 2}));
  EXPECT_THAT(alone_, ElementsAre(9));
}

TEST_F(Joining, ReadsAndWritesStayApart) {
  join({read(1), write(2), read(3), write(4)});
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(alone_, UnorderedElementsAre(1, 2, 3, 4));
}

TEST_F(Joining, TransfersOfTheSamePlaceAreNotJoined) {
  join({write(1), write(1)});
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(alone_, ElementsAre(1, 1));
}

TEST_F(Joining, ACommandIsNoLongerThanTheLunTakes) {
  join({read(0, 2), read(2, 2), read(4, 2), read(6, 2)}, 4 * kBlock);
  EXPECT_THAT(sent_,
              UnorderedElementsAre(Command{0, 4 * kBlock, 2}, Command{4 * kBlock, 4 * kBlock, 2}));
}

TEST_F(Joining, ACommandIsNoLongerThanPays) {
  std::vector<Transfer> transfers;
  constexpr std::uint64_t kPart = TransferJoiner::kMaxPartBytes / kBlock;
  for (std::uint64_t i = 0; i < 4; ++i) transfers.push_back(read(i * kPart, kPart));
  join(transfers);
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_EQ(sent_[0].length, TransferJoiner::kMaxJoinedBytes);
}

TEST_F(Joining, ACommandHasABoundedNumberOfParts) {
  buffer_.resize(1 << 20);
  std::vector<Transfer> transfers;
  for (std::uint64_t i = 0; i < 100; ++i) {
    transfers.push_back({.offset = i * 512, .in = IoSpan(buffer_).first(512)});
  }
  join(transfers);
  EXPECT_THAT(sent_,
              UnorderedElementsAre(Command{0, 64 * 512, 64}, Command{64 * 512, 36 * 512, 36}));
}

TEST_F(Joining, PartsOfARefusedCommandAreTheirCallersToMove) {
  refuse_ = true;
  join({write(1), write(2)});
  EXPECT_THAT(moved_, IsEmpty());
  EXPECT_THAT(alone_, UnorderedElementsAre(1, 2));
}

TEST_F(Joining, AnErrorGoesToAll) {
  failure_ = Error(ErrorKind::kUnreachable, "lost");
  TransferJoiner joiner(reactor_, kMaxTransfer,
                        [this](const JoinedTransfer& run) { return send(run); });
  int failures = 0;
  for (const std::uint64_t block : {1U, 2U}) {
    spawn(join_one(joiner, read(block)),
          [&](const std::exception_ptr& f) { failures += f ? 1 : 0; });
  }
  bool done = false;
  const auto timer = reactor_.at(Reactor::Clock::now(), [&] { done = true; });
  reactor_.run_until(done);
  EXPECT_EQ(failures, 2);
}

TEST_F(Joining, ALaterTurnIsNotWaitedFor) {
  TransferJoiner joiner(reactor_, kMaxTransfer,
                        [this](const JoinedTransfer& run) { return send(run); });
  run_until_done(reactor_, join_one(joiner, read(1)));
  run_until_done(reactor_, join_one(joiner, read(2)));
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(alone_, ElementsAre(1, 2));
}

}  // namespace
}  // namespace lunfs::iscsi
