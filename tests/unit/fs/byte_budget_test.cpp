#include "fs/byte_budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "base/error.h"
#include "base/run.h"

namespace lunfs::fs {
namespace {

class ByteBudgetTest : public ::testing::Test {
 protected:
  /// Takes a share and notes in `order` when it got it; `held` keeps it.
  Task<void> take(RequestContext& context, std::size_t bytes, int name) {
    held_.push_back(std::make_unique<ByteBudget::Share>(co_await budget_.take(context, bytes)));
    order_.push_back(name);
  }
  void start(RequestContext& context, std::size_t bytes, int name) {
    spawn(take(context, bytes, name), [this](const std::exception_ptr& failure) {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const Error& error) {
        failed_.push_back(error.kind());
      }
    });
  }
  /// Lets everybody who still waits go, so that no coroutine is left behind.
  void TearDown() override {
    while (budget_.waiting() > 0) {
      held_.clear();
      turn();
    }
  }
  void turn() {
    reactor_.stop();
    reactor_.run();
    RequestContext context;
    run_until_done(reactor_, reactor_.sleep_until(context, Reactor::Clock::now()));
  }

  Reactor reactor_;
  ByteBudget budget_{reactor_, 100};
  RequestContext context_;
  std::vector<std::unique_ptr<ByteBudget::Share>> held_;
  std::vector<int> order_;
  std::vector<ErrorKind> failed_;
};

TEST_F(ByteBudgetTest, SharesWithinTheBoundDoNotWait) {
  start(context_, 60, 1);
  start(context_, 40, 2);
  EXPECT_EQ(order_, (std::vector{1, 2}));
  EXPECT_EQ(budget_.bytes_in_flight(), 100U);
}

TEST_F(ByteBudgetTest, OverTheBoundWaitsUntilRoomComesBack) {
  start(context_, 100, 1);
  start(context_, 1, 2);
  EXPECT_EQ(budget_.waiting(), 1U);
  held_.clear();
  turn();
  EXPECT_EQ(order_, (std::vector{1, 2}));
  EXPECT_EQ(budget_.bytes_in_flight(), 1U);
}

TEST_F(ByteBudgetTest, WaitersAreServedInOrderEvenIfALaterOneWouldFit) {
  start(context_, 90, 1);
  start(context_, 50, 2);
  start(context_, 5, 3);
  EXPECT_EQ(order_, (std::vector{1}));
  held_.clear();
  turn();
  EXPECT_EQ(order_, (std::vector{1, 2, 3}));
}

TEST_F(ByteBudgetTest, RequestLargerThanTheBoundGetsThroughAlone) {
  start(context_, 500, 1);
  EXPECT_EQ(order_, (std::vector{1}));
  start(context_, 1, 2);
  EXPECT_EQ(budget_.waiting(), 1U);
}

TEST_F(ByteBudgetTest, CancelledWaiterLeavesAndLetsTheNextOneIn) {
  Cancellation cancellation;
  RequestContext cancelled{.cancellation = &cancellation};
  start(context_, 60, 1);
  start(cancelled, 80, 2);
  start(context_, 30, 3);
  cancellation.request();
  turn();
  EXPECT_EQ(failed_, (std::vector{ErrorKind::kCancelled}));
  EXPECT_EQ(order_, (std::vector{1, 3}));
}

TEST_F(ByteBudgetTest, WaiterPastItsDeadlineTimesOut) {
  RequestContext hurried = RequestContext::within(std::chrono::milliseconds{5});
  start(context_, 100, 1);
  start(hurried, 80, 2);
  RequestContext context;
  run_until_done(reactor_, reactor_.sleep_until(
                               context, Reactor::Clock::now() + std::chrono::milliseconds{30}));
  EXPECT_EQ(failed_, (std::vector{ErrorKind::kTimedOut}));
  EXPECT_EQ(budget_.waiting(), 0U);
}

}  // namespace
}  // namespace lunfs::fs
