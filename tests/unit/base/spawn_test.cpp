#include "base/spawn.h"

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/reactor.h"
#include "base/run.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using testing::Yield;

Task<void> after_turns(Reactor& reactor, int turns, int& ended) {
  for (; turns > 0; --turns) co_await Yield{reactor};
  ++ended;
}

Task<void> failing_after(Reactor& reactor, int turns, std::string what) {
  for (; turns > 0; --turns) co_await Yield{reactor};
  throw std::runtime_error(what);
}

Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

TEST(Spawn, RunsAtOnceUntilTheFirstSuspension) {
  Reactor reactor;
  int ended = 0;
  bool told = false;
  spawn(after_turns(reactor, 0, ended),
        [&](const std::exception_ptr& failure) { told = !failure; });
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(told);
}

TEST(Spawn, TellsTheException) {
  Reactor reactor;
  std::exception_ptr told;
  spawn(failing_after(reactor, 0, "broken"), [&](std::exception_ptr failure) { told = failure; });
  ASSERT_TRUE(told);
  EXPECT_THROW(std::rethrow_exception(told), std::runtime_error);
}

TEST(Spawn, WorkOutlivesItsCaller) {
  Reactor reactor;
  int ended = 0;
  bool told = false;
  {
    Task<void> task = after_turns(reactor, 3, ended);
    spawn(std::move(task), [&](const std::exception_ptr&) { told = true; });
  }
  EXPECT_FALSE(told);
  run_until_done(reactor, after_turns(reactor, 10, ended));
  EXPECT_TRUE(told);
  EXPECT_EQ(ended, 2);
}

TEST(WhenAll, EmptyListEndsAtOnce) {
  Reactor reactor;
  run_until_done(reactor, all_of({}));
}

TEST(WhenAll, AllRunAtTheSameTime) {
  Reactor reactor;
  int ended = 0;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(after_turns(reactor, i, ended));
  run_until_done(reactor, all_of(std::move(tasks)));
  EXPECT_EQ(ended, 5);
}

TEST(WhenAll, EveryTaskHasEndedBeforeTheExceptionIsThrown) {
  Reactor reactor;
  int ended = 0;
  std::vector<Task<void>> tasks;
  tasks.push_back(after_turns(reactor, 9, ended));
  tasks.push_back(failing_after(reactor, 0, "early"));
  tasks.push_back(after_turns(reactor, 5, ended));
  EXPECT_THROW(run_until_done(reactor, all_of(std::move(tasks))), std::runtime_error);
  EXPECT_EQ(ended, 2);
}

TEST(WhenAll, FirstOfTheListIsThrownNotTheEarliest) {
  Reactor reactor;
  std::vector<Task<void>> tasks;
  tasks.push_back(failing_after(reactor, 5, "first of the list"));
  tasks.push_back(failing_after(reactor, 0, "earliest"));
  try {
    run_until_done(reactor, all_of(std::move(tasks)));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first of the list");
  }
}

TEST(WhenAll, NestsInItself) {
  Reactor reactor;
  int ended = 0;
  std::vector<Task<void>> outer;
  for (int i = 0; i < 3; ++i) {
    std::vector<Task<void>> inner;
    for (int j = 0; j < 3; ++j) inner.push_back(after_turns(reactor, i + j, ended));
    outer.push_back(all_of(std::move(inner)));
  }
  run_until_done(reactor, all_of(std::move(outer)));
  EXPECT_EQ(ended, 9);
}

}  // namespace
}  // namespace lunfs
