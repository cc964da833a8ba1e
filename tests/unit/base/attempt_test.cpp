#include "base/attempt.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "base/error.h"
#include "base/run.h"
#include "base/wake_up.h"

namespace lunfs {
namespace {

using namespace std::chrono_literals;

class AttemptTest : public ::testing::Test {
 protected:
  /// Ends when go_ is woken.
  Task<void> work() {
    RequestContext unlimited;
    co_await go_.until(unlimited);
    ended_ = true;
  }
  static Task<void> failing() {
    throw Error(ErrorKind::kIo, "it broke");
    co_return;
  }
  void wait(Attempt& attempt, std::chrono::milliseconds limit) {
    RequestContext context = RequestContext::within(limit);
    run_until_done(reactor_, attempt.wait(context));
  }
  static ErrorKind kind_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  }

  Reactor reactor_;
  WakeUp go_{reactor_};
  bool ended_ = false;
};

TEST_F(AttemptTest, WaitEndsWithTheTask) {
  Attempt attempt(reactor_, work());
  go_.wake();
  wait(attempt, 10s);
  EXPECT_TRUE(ended_);
}

TEST_F(AttemptTest, FailureIsThrownByEveryWait) {
  Attempt attempt(reactor_, failing());
  EXPECT_EQ(kind_of([&] { wait(attempt, 10s); }), ErrorKind::kIo);
  EXPECT_EQ(kind_of([&] { wait(attempt, 10s); }), ErrorKind::kIo);
}

TEST_F(AttemptTest, LimitEndsTheWaitAndNotTheTask) {
  Attempt attempt(reactor_, work());
  EXPECT_EQ(kind_of([&] { wait(attempt, 5ms); }), ErrorKind::kTimedOut);
  EXPECT_FALSE(ended_);
  go_.wake();
  wait(attempt, 10s);
  EXPECT_TRUE(ended_);
}

TEST_F(AttemptTest, CancellationEndsTheWait) {
  Attempt attempt(reactor_, work());
  Cancellation cancellation;
  RequestContext context;
  context.cancellation = &cancellation;
  cancellation.request();
  EXPECT_EQ(kind_of([&] { run_until_done(reactor_, attempt.wait(context)); }),
            ErrorKind::kCancelled);
  go_.wake();
  wait(attempt, 10s);
}

TEST_F(AttemptTest, TaskEndsAlsoWhenNobodyWaitsAnyMore) {
  { const Attempt attempt(reactor_, work()); }
  go_.wake();
  reactor_.run_until(ended_);
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace lunfs
