#include "base/reactor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using std::chrono::milliseconds;
using testing::Yield;
using Clock = Reactor::Clock;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader = FileDescriptor(ends[0]);
    writer = FileDescriptor(ends[1]);
  }
  void fill() const { EXPECT_EQ(write(writer.get(), "x", 1), 1); }

  FileDescriptor reader;
  FileDescriptor writer;
};

/// Runs the reactor until `condition` holds; fails after five seconds.
template <typename Condition>
void run_until(Reactor& reactor, Condition condition) {
  RequestContext context = RequestContext::within(std::chrono::seconds(5));
  run_until_done(reactor, [](Reactor& loop, RequestContext& limit, Condition holds) -> Task<void> {
    while (!holds()) co_await loop.sleep_until(limit, Clock::now() + milliseconds(1));
  }(reactor, context, condition));
}

TEST(Reactor, TimersFireInTheOrderOfTheirTimes) {
  Reactor reactor;
  std::vector<int> fired;
  const auto now = Clock::now();
  const auto second = reactor.at(now + milliseconds(10), [&] { fired.push_back(2); });
  const auto third = reactor.at(now + milliseconds(10), [&] { fired.push_back(3); });
  const auto first = reactor.at(now + milliseconds(1), [&] { fired.push_back(1); });
  run_until(reactor, [&] { return fired.size() == 3; });
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
}

TEST(Reactor, TimerNeverFiresEarly) {
  Reactor reactor;
  const auto when = Clock::now() + milliseconds(7);
  std::optional<Clock::time_point> fired;
  const auto timer = reactor.at(when, [&] { fired = Clock::now(); });
  run_until(reactor, [&] { return fired.has_value(); });
  EXPECT_GE(*fired, when);
}

TEST(Reactor, EndedTimerDoesNotFire) {
  Reactor reactor;
  bool fired = false;
  auto timer = std::make_optional(reactor.at(Clock::now(), [&] { fired = true; }));
  timer.reset();
  run_until(reactor, [] { return true; });
  EXPECT_FALSE(fired);
}

TEST(Reactor, TimerMayEndItselfAndAnotherThatIsDue) {
  Reactor reactor;
  int fired = 0;
  std::optional<Reactor::Timer> first;
  std::optional<Reactor::Timer> second;
  const auto due = Clock::now();
  first.emplace(reactor.at(due, [&] {
    first.reset();
    second.reset();
    ++fired;
  }));
  second.emplace(reactor.at(due + std::chrono::nanoseconds(1), [&] { fired += 100; }));
  run_until(reactor, [&] { return fired > 0; });
  EXPECT_EQ(fired, 1);
}

TEST(Reactor, TimersOfThePastAndOfTheFarFutureAreTaken) {
  Reactor reactor;
  bool past = false;
  bool future = false;
  const auto old = reactor.at(Clock::time_point::min(), [&] { past = true; });
  const auto never = reactor.at(Clock::time_point::max(), [&] { future = true; });
  run_until(reactor, [&] { return past; });
  EXPECT_FALSE(future);
}

TEST(Reactor, TimerThatRenewsItselfAtOnceStarvesNobody) {
  Reactor reactor;
  Reactor::Timer again;
  int fired = 0;
  std::function<void()> renew = [&] {
    ++fired;
    again = reactor.at(Clock::time_point::min(), renew);
  };
  renew();
  bool posted = false;
  reactor.post([&] { posted = true; });
  run_until(reactor, [&] { return posted; });
  EXPECT_GT(fired, 1);
}

TEST(Reactor, HandlerIsCalledWhileTheDescriptorIsReady) {
  Reactor reactor;
  const Pipe pipe;
  int calls = 0;
  const auto watch = reactor.watch(pipe.reader.get(), EPOLLIN, [&](std::uint32_t events) {
    EXPECT_EQ(events, static_cast<std::uint32_t>(EPOLLIN));
    ++calls;
    char byte{};
    EXPECT_EQ(read(pipe.reader.get(), &byte, 1), 1);
  });
  pipe.fill();
  pipe.fill();
  run_until(reactor, [&] { return calls == 2; });
}

TEST(Reactor, HandlerMayEndItsOwnWatch) {
  Reactor reactor;
  const Pipe pipe;
  int calls = 0;
  std::optional<Reactor::Watch> watch;
  const auto token = std::make_shared<int>(1);
  watch.emplace(reactor.watch(pipe.reader.get(), EPOLLIN, [&, token](std::uint32_t) {
    watch.reset();
    calls += *token;  // the handler itself still lives
  }));
  pipe.fill();
  run_until(reactor, [&] { return calls > 0; });
  run_until(reactor, [] { return true; });
  EXPECT_EQ(calls, 1);
}

TEST(Reactor, HandlerMayEndTheWatchOfAnotherThatIsReady) {
  Reactor reactor;
  const Pipe one;
  const Pipe two;
  int calls = 0;
  std::optional<Reactor::Watch> first;
  std::optional<Reactor::Watch> second;
  first.emplace(reactor.watch(one.reader.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    first.reset();
    second.reset();
  }));
  second.emplace(reactor.watch(two.reader.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    first.reset();
    second.reset();
  }));
  one.fill();
  two.fill();
  run_until(reactor, [&] { return calls > 0; });
  run_until(reactor, [] { return true; });
  EXPECT_EQ(calls, 1);
}

TEST(Reactor, WatchFollowsTheEventsItIsSetTo) {
  Reactor reactor;
  const Pipe pipe;
  std::uint32_t seen = 0;
  auto watch = reactor.watch(pipe.writer.get(), 0, [&](std::uint32_t events) { seen |= events; });
  run_until(reactor, [] { return true; });
  EXPECT_EQ(seen, 0U);
  watch.set_events(EPOLLOUT);
  run_until(reactor, [&] { return seen != 0; });
  EXPECT_EQ(seen, static_cast<std::uint32_t>(EPOLLOUT));
}

TEST(Reactor, MovedWatchStaysWatched) {
  Reactor reactor;
  const Pipe pipe;
  int calls = 0;
  Reactor::Watch target;
  {
    auto source =
        reactor.watch(pipe.reader.get(), EPOLLIN | EPOLLET, [&](std::uint32_t) { ++calls; });
    target = std::move(source);
  }
  pipe.fill();
  run_until(reactor, [&] { return calls == 1; });
}

TEST(Reactor, WatchingWhatCannotBeWatchedIsAnError) {
  Reactor reactor;
  EXPECT_THROW(static_cast<void>(reactor.watch(-1, EPOLLIN, [](std::uint32_t) {})), Error);
}

TEST(Reactor, PostedCallbacksOfManyThreadsAllRunOnItsThread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  Reactor reactor;
  int calls = 0;  // no lock: one thread only
  const auto own = std::this_thread::get_id();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < kEach; ++j) {
          reactor.post([&] {
            EXPECT_EQ(std::this_thread::get_id(), own);
            ++calls;
          });
        }
      });
    }
    run_until(reactor, [&] { return calls == kThreads * kEach; });
  }
  EXPECT_EQ(calls, kThreads * kEach);
}

TEST(Reactor, PostedCallbackMayPostAgain) {
  Reactor reactor;
  int calls = 0;
  reactor.post([&] {
    ++calls;
    reactor.post([&] { ++calls; });
  });
  run_until(reactor, [&] { return calls == 2; });
}

TEST(Reactor, ReactorMayEndAsSoonAsAPostIsSeen) {
  for (int round = 0; round < 200; ++round) {
    auto reactor = std::make_unique<Reactor>();
    bool seen = false;
    std::jthread poster([loop = reactor.get(), &seen] { loop->post([&seen] { seen = true; }); });
    reactor->run_until(seen);
    reactor.reset();  // while the poster may not have returned from post() yet
  }
}

TEST(Reactor, StopBeforeRunCounts) {
  Reactor reactor;
  reactor.stop();
  reactor.run();  // returns
}

TEST(Reactor, StopFromAnotherThreadEndsTheRun) {
  Reactor reactor;
  std::jthread stopper([&] { reactor.stop(); });
  reactor.run();  // returns
}

TEST(Reactor, StoppedTurnIsFinishedFirst) {
  Reactor reactor;
  bool resumed = false;
  int hooks = 0;
  const auto hook = reactor.at_turn_end([&] { hooks += resumed ? 1 : 0; });
  const auto timer = reactor.at(Clock::now(), [&] {
    spawn(
        [](Reactor& loop, bool& mark) -> Task<void> {
          co_await Yield{loop};
          mark = true;
        }(reactor, resumed),
        [](const std::exception_ptr&) {});
    reactor.stop();
  });
  reactor.run();
  EXPECT_TRUE(resumed);
  EXPECT_EQ(hooks, 1);
}

TEST(Reactor, StopWhileATaskIsRunToItsEndIsKept) {
  Reactor reactor;
  reactor.stop();
  int turns = 0;
  run_until_done(reactor, [](Reactor& loop, int& count) -> Task<void> {
    RequestContext context;
    for (; count < 3; ++count) {
      co_await loop.sleep_until(context, Clock::now() + milliseconds(1));
      loop.stop();
    }
  }(reactor, turns));
  EXPECT_EQ(turns, 3);
  reactor.run();  // returns: the stop was kept
}

TEST(Reactor, HooksRunAtTheEndOfEveryTurnInOrder) {
  Reactor reactor;
  std::vector<int> calls;
  const auto first = reactor.at_turn_end([&] { calls.push_back(1); });
  const auto second = reactor.at_turn_end([&] { calls.push_back(2); });
  reactor.stop();
  reactor.run();
  EXPECT_EQ(calls, (std::vector<int>{1, 2}));
}

TEST(Reactor, HookMayEndItselfAndTheNext) {
  Reactor reactor;
  int calls = 0;
  std::optional<Reactor::Hook> first;
  std::optional<Reactor::Hook> second;
  const auto token = std::make_shared<int>(1);
  first.emplace(reactor.at_turn_end([&, token] {
    first.reset();
    second.reset();
    calls += *token;  // the hook itself still lives
  }));
  second.emplace(reactor.at_turn_end([&] { calls += 100; }));
  const auto third = reactor.at_turn_end([&] { calls += 10; });
  reactor.stop();
  reactor.run();
  EXPECT_EQ(calls, 11);
  reactor.stop();
  reactor.run();
  EXPECT_EQ(calls, 21);
  EXPECT_EQ(token.use_count(), 1) << "ended hooks are let go";
}

TEST(Reactor, HookAddedByAHookRunsInTheSameTurn) {
  Reactor reactor;
  int calls = 0;
  std::optional<Reactor::Hook> added;
  const auto adding = reactor.at_turn_end([&] {
    if (!added) added.emplace(reactor.at_turn_end([&] { ++calls; }));
  });
  reactor.stop();
  reactor.run();
  EXPECT_EQ(calls, 1);
}

TEST(Reactor, DeferredWorkRunsBeforeTheHooks) {
  Reactor reactor;
  std::vector<int> order;
  const auto hook = reactor.at_turn_end([&] { order.push_back(2); });
  run_until_done(reactor, [](Reactor& loop, std::vector<int>& list) -> Task<void> {
    co_await Yield{loop};
    list.push_back(1);
  }(reactor, order));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(Reactor, LookAfterTheHandlersStandsBetweenTheirWorkAndTheEndOfTheTurn) {
  Reactor reactor;
  std::vector<int> order;
  const auto last = reactor.at_turn_end([&] { order.push_back(3); });
  const auto look = reactor.after_handlers([&] {
    order.push_back(1);
    spawn(
        [](Reactor& loop, std::vector<int>& list) -> Task<void> {
          co_await Yield{loop};
          list.push_back(2);
        }(reactor, order),
        [](const std::exception_ptr&) {});
  });
  run_until_done(reactor, [](Reactor& loop, std::vector<int>& list) -> Task<void> {
    co_await Yield{loop};
    list.push_back(0);
  }(reactor, order));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(Reactor, EndlessChainOfDeferredWorkStarvesNobody) {
  Reactor reactor;
  bool stop = false;
  const auto timer = reactor.at(Clock::now() + milliseconds(5), [&] { stop = true; });
  run_until_done(reactor, [](Reactor& loop, const bool& ended) -> Task<void> {
    while (!ended) co_await Yield{loop};
  }(reactor, stop));
}

TEST(Reactor, SleepEndsAtItsTime) {
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::seconds(5));
  const auto when = Clock::now() + milliseconds(5);
  run_until_done(reactor, reactor.sleep_until(context, when));
  EXPECT_GE(Clock::now(), when);
}

TEST(Reactor, SleepIsCutShortByTheDeadline) {
  Reactor reactor;
  RequestContext context = RequestContext::within(milliseconds(5));
  try {
    run_until_done(reactor, reactor.sleep_until(context, Clock::now() + std::chrono::hours(1)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  }
}

TEST(Reactor, SleepIsCutShortByCancellation) {
  Reactor reactor;
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const auto timer = reactor.at(Clock::now() + milliseconds(5), [&] { cancellation.request(); });
  try {
    run_until_done(reactor, reactor.sleep_until(context, Clock::now() + std::chrono::hours(1)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST(Reactor, SleepOfACancelledRequestDoesNotBegin) {
  Reactor reactor;
  Cancellation cancellation;
  cancellation.request();
  RequestContext context{.cancellation = &cancellation};
  EXPECT_THROW(
      run_until_done(reactor, reactor.sleep_until(context, Clock::now() + std::chrono::hours(1))),
      Error);
}

}  // namespace
}  // namespace lunfs
