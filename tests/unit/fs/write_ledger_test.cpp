#include "fs/write_ledger.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/run.h"
#include "base/spawn.h"

namespace lunfs::fs {
namespace {

class WriteLedgerTest : public ::testing::Test {
 protected:
  static Task<void> wait(WriteLedger& ledger) { co_await ledger.done(); }
  void turn() {
    RequestContext context;
    run_until_done(reactor_, reactor_.sleep_until(context, Reactor::Clock::now()));
  }

  Reactor reactor_;
  WriteLedger ledger_;
};

TEST_F(WriteLedgerTest, NothingInFlightIsDoneAtOnce) {
  bool done = false;
  spawn(wait(ledger_), [&](const std::exception_ptr&) { done = true; });
  EXPECT_TRUE(done);
  EXPECT_FALSE(ledger_.busy());
}

TEST_F(WriteLedgerTest, EarlierWritesAreWaitedForLaterOnesAreNot) {
  std::optional<WriteLedger::Entry> earlier;
  earlier.emplace(ledger_, reactor_);
  bool done = false;
  spawn(wait(ledger_), [&](const std::exception_ptr&) { done = true; });
  const WriteLedger::Entry later(ledger_, reactor_);
  turn();
  EXPECT_FALSE(done);
  earlier.reset();
  turn();
  EXPECT_TRUE(done);
}

TEST_F(WriteLedgerTest, IsBusyWhileAWriteIsInFlight) {
  {
    const WriteLedger::Entry write(ledger_, reactor_);
    EXPECT_TRUE(ledger_.busy());
  }
  EXPECT_FALSE(ledger_.busy());
}

TEST_F(WriteLedgerTest, IsBusyUntilAFailureIsTold) {
  ledger_.keep(Error(ErrorKind::kIo, "first"));
  ledger_.keep(Error(ErrorKind::kBusy, "second"));
  EXPECT_EQ(ledger_.failure()->message(), "first");
  EXPECT_TRUE(ledger_.busy());
  EXPECT_EQ(ledger_.take_failure()->message(), "first");
  EXPECT_FALSE(ledger_.busy());
  EXPECT_FALSE(ledger_.take_failure());
}

}  // namespace
}  // namespace lunfs::fs
