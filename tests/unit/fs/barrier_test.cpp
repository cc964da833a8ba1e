#include "fs/barrier.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/hand_over.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"
#include "tests/support/reactor_thread.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::fs {
namespace {

/// Two shards; the tests run on the first one's thread.
class BarrierTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kHere = 0;
  static constexpr std::size_t kOther = 1;

  /// Runs `act` on the other shard's thread.
  void over_there(const std::function<void()>& act) {
    run_until_done(here_, run_on(other_.reactor(), here_, context_,
                                 [&act](RequestContext&) { return call(act); }));
  }
  static Task<void> call(std::function<void()> act) {
    act();
    co_return;
  }
  void begin_write_over_there() {
    over_there([this] { write_.emplace(file_.ledgers[kOther], other_.reactor()); });
  }
  void end_write_over_there() {
    over_there([this] { write_.reset(); });
  }
  void settle(Sync what) { run_until_done(here_, barrier_.settled(context_, kHere, file_, what)); }
  void pause() {
    RequestContext context;
    run_until_done(
        here_, here_.sleep_until(context, Reactor::Clock::now() + std::chrono::milliseconds(20)));
  }

  Reactor here_;
  testing::MemoryDevice first_{4096};
  testing::MemoryDevice second_{4096};
  Durability first_durability_{first_};
  RequestContext context_;
  OpenFile file_{2};
  std::optional<WriteLedger::Entry> write_;  ///< the other shard's
  testing::ReactorThread other_;
  testing::FaultDevice second_faulty_{other_.reactor(), second_};
  Durability second_durability_{second_faulty_};
  Barrier barrier_{{{here_, first_durability_}, {other_.reactor(), second_durability_}}};
};

TEST_F(BarrierTest, NothingWrittenFlushesNothing) {
  settle(Sync::kFsync);
  EXPECT_EQ(first_.counts().flushes, 0U);
  EXPECT_EQ(second_.counts().flushes, 0U);
}

TEST_F(BarrierTest, FlushesTheSessionThatWroteWhereverItIs) {
  over_there([this] { second_durability_.wrote(); });
  settle(Sync::kFsync);
  EXPECT_EQ(first_.counts().flushes, 0U);
  EXPECT_EQ(second_.counts().flushes, 1U);
  EXPECT_TRUE(second_durability_.clean());
}

TEST_F(BarrierTest, FlushesEachSessionThatWrote) {
  first_durability_.wrote();
  over_there([this] { second_durability_.wrote(); });
  settle(Sync::kFsync);
  EXPECT_EQ(first_.counts().flushes, 1U);
  EXPECT_EQ(second_.counts().flushes, 1U);
}

TEST_F(BarrierTest, WithoutDurabilityNothingIsFlushed) {
  first_durability_.wrote();
  over_there([this] { second_durability_.wrote(); });
  settle(Sync::kClose);
  EXPECT_EQ(first_.counts().flushes, 0U);
  EXPECT_EQ(second_.counts().flushes, 0U);
}

TEST_F(BarrierTest, WaitsForTheWritesOfAnotherShard) {
  begin_write_over_there();
  bool settled = false;
  spawn(barrier_.settled(context_, kHere, file_, Sync::kFsync),
        [&](const std::exception_ptr&) { settled = true; });
  pause();
  EXPECT_FALSE(settled);
  end_write_over_there();
  here_.run_until(settled);
}

TEST_F(BarrierTest, WrittenWaitsForTheWritesOfAnotherShard) {
  begin_write_over_there();
  bool done = false;
  spawn(barrier_.written(kHere, file_), [&](const std::exception_ptr&) { done = true; });
  pause();
  EXPECT_FALSE(done);
  end_write_over_there();
  here_.run_until(done);
}

TEST_F(BarrierTest, FlushCoversTheWriteThatWasWaitedFor) {
  begin_write_over_there();
  bool settled = false;
  spawn(barrier_.settled(context_, kHere, file_, Sync::kFsync),
        [&](const std::exception_ptr&) { settled = true; });
  over_there([this] {
    second_durability_.wrote();
    write_.reset();
  });
  here_.run_until(settled);
  EXPECT_EQ(second_.counts().flushes, 1U);
  EXPECT_TRUE(second_durability_.clean());
}

TEST_F(BarrierTest, FailureOfAnotherShardsWriteIsToldOnce) {
  over_there([this] { file_.ledgers[kOther].keep(Error(ErrorKind::kIo, "medium")); });
  EXPECT_THROW(settle(Sync::kFsync), Error);
  EXPECT_NO_THROW(settle(Sync::kFsync));
}

TEST_F(BarrierTest, CloseTellsAFailureAndTheNextFsyncTellsItAgain) {
  over_there([this] { file_.ledgers[kOther].keep(Error(ErrorKind::kIo, "medium")); });
  EXPECT_THROW(settle(Sync::kDurableClose), Error);
  EXPECT_THROW(settle(Sync::kFsync), Error);
  EXPECT_NO_THROW(settle(Sync::kFsync));
}

TEST_F(BarrierTest, FailedFlushOfAnotherSessionIsTold) {
  over_there([this] {
    second_durability_.wrote();
    second_faulty_.fail_nth(1, Error(ErrorKind::kIo, "flush failed"));
  });
  EXPECT_THROW(settle(Sync::kFsync), Error);
  EXPECT_FALSE(second_durability_.clean());
}

/// A target may tell the session of one command what became of another's write.
TEST_F(BarrierTest, WriteThatFailedLateFailsFsyncWhicheverSessionWasTold) {
  testing::FakeTarget::Reply late = testing::check_condition(3, 0x0c, 0x00);
  late.sense[0] = std::byte{0x71};  // deferred
  testing::FakeLun told({.login = {}, .handler = testing::refuse(testing::kRead, 1, late)});
  Durability told_durability(*told.lun, told.lun.get());
  Reactor& here = told.initiator.reactor;
  Barrier barrier{{{here, told_durability}, {other_.reactor(), second_durability_}}};
  const auto fsync = [&] {
    run_until_done(here, barrier.settled(context_, kHere, file_, Sync::kFsync));
  };
  over_there([this] { second_durability_.wrote(); });
  fsync();
  over_there([this] { second_durability_.wrote(); });
  EXPECT_THROW(told.read(0, 512), Error);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(testing::FakeLun::fault(fsync).message(),
                ::testing::HasSubstr("a write that was acknowledged has failed"));
  }
}

TEST_F(BarrierTest, SyncOfAllFlushesEachSessionThatWrote) {
  over_there([this] { second_durability_.wrote(); });
  run_until_done(here_, barrier_.flushed(kHere, context_));
  EXPECT_EQ(first_.counts().flushes, 0U);
  EXPECT_EQ(second_.counts().flushes, 1U);
}

TEST_F(BarrierTest, InterruptedWaitDoesNotHideAFailureOfAnotherShard) {
  testing::FaultDevice held(here_, first_);
  held.hold_matching([](const testing::Request&) { return true; });
  Durability first(held);
  Barrier barrier{{{here_, first}, {other_.reactor(), second_durability_}}};
  first.wrote();
  over_there([this] { file_.ledgers[kOther].keep(Error(ErrorKind::kIo, "medium")); });
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const Reactor::Timer soon = here_.at(Reactor::Clock::now() + std::chrono::milliseconds(50),
                                       [&] { cancellation.request(); });
  try {
    run_until_done(here_, barrier.settled(context, kHere, file_, Sync::kFsync));
    FAIL() << "settled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo) << error.message();
  }
}

}  // namespace
}  // namespace lunfs::fs
