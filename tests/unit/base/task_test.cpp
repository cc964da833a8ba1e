#include "base/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/reactor.h"
#include "base/run.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using testing::Yield;

Task<int> value(int number) { co_return number; }

Task<std::unique_ptr<int>> owned(int number) { co_return std::make_unique<int>(number); }

Task<int> failing(Reactor& reactor, bool suspend) {
  if (suspend) co_await Yield{reactor};
  throw std::runtime_error("from the depth");
}

Task<int> passing_on(Reactor& reactor, bool suspend, int depth) {
  if (depth == 0) co_return co_await failing(reactor, suspend);
  co_return co_await passing_on(reactor, suspend, depth - 1);
}

TEST(Task, ReturnsItsValue) {
  Reactor reactor;
  EXPECT_EQ(run_until_done(reactor, value(42)), 42);
}

TEST(Task, ReturnsWhatCanOnlyBeMoved) {
  Reactor reactor;
  EXPECT_EQ(*run_until_done(reactor, owned(7)), 7);
}

TEST(Task, ExceptionCrossesAwaitsThatNeverSuspended) {
  Reactor reactor;
  EXPECT_THROW(run_until_done(reactor, passing_on(reactor, false, 10)), std::runtime_error);
}

TEST(Task, ExceptionCrossesAwaitsAfterSuspension) {
  Reactor reactor;
  EXPECT_THROW(run_until_done(reactor, passing_on(reactor, true, 10)), std::runtime_error);
}

TEST(Task, CaughtExceptionLetsTheAwaiterGoOn) {
  Reactor reactor;
  const auto catching = [](Reactor& loop) -> Task<std::string> {
    std::string text;
    try {
      co_await failing(loop, true);
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    co_await Yield{loop};
    co_return text;
  };
  EXPECT_EQ(run_until_done(reactor, catching(reactor)), "from the depth");
}

TEST(Task, RunsNothingBeforeItIsAwaited) {
  Reactor reactor;
  bool started = false;
  const auto marking = [](bool& mark) -> Task<void> {
    mark = true;
    co_return;
  };
  Task<void> task = marking(started);
  EXPECT_FALSE(started);
  run_until_done(reactor, std::move(task));
  EXPECT_TRUE(started);
}

TEST(Task, UnstartedTaskFreesItsParameters) {
  auto shared = std::make_shared<int>(1);
  {
    const auto holding = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
    const Task<int> task = holding(shared);
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Task, MovedTaskStillRuns) {
  Reactor reactor;
  Task<int> first = value(1);
  Task<int> second = value(2);
  first = std::move(second);
  Task<int> third = std::move(first);
  EXPECT_EQ(run_until_done(reactor, std::move(third)), 2);
}

TEST(Task, LocalsEndBeforeTheAwaiterGoesOn) {
  Reactor reactor;
  const auto inner = [](Reactor& loop, std::shared_ptr<int>& outer) -> Task<void> {
    const std::shared_ptr<int> local = outer;
    co_await Yield{loop};
  };
  const auto awaiting = [](Reactor& loop, std::shared_ptr<int>& shared,
                           auto make_inner) -> Task<long> {
    const Task<void> task = make_inner(loop, shared);
    co_await task;
    co_return shared.use_count();
  };
  auto shared = std::make_shared<int>(1);
  EXPECT_EQ(run_until_done(reactor, awaiting(reactor, shared, inner)), 1);
}

// What symmetric transfer is for: neither depth nor repetition costs stack. Sanitizers and -Og keep
// g++ from making the tail calls, so there the numbers only fit the stack.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kMany = 1'000'000;
#else
constexpr int kMany = 2'000;
#endif

Task<int> recursive(Reactor& reactor, int depth) {
  if (depth == 0) {
    co_await Yield{reactor};
    co_return 0;
  }
  co_return co_await recursive(reactor, depth - 1) + 1;
}

TEST(Task, DeepRecursionNeedsNoStack) {
  Reactor reactor;
  EXPECT_EQ(run_until_done(reactor, recursive(reactor, kMany)), kMany);
}

TEST(Task, ManyAwaitsThatNeverSuspendNeedNoStack) {
  Reactor reactor;
  const auto summing = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < kMany; ++i) sum += co_await value(1);
    co_return sum;
  };
  EXPECT_EQ(run_until_done(reactor, summing()), kMany);
}

}  // namespace
}  // namespace lunfs
