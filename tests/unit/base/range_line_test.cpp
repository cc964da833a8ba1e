// A RangeLock::Line that entries of several threads stand in.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/hand_over.h"
#include "base/range_lock.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/reactor_thread.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using Mode = RangeLock::Mode;
using testing::ReactorThread;
using testing::Yield;

class RangeLineTest : public ::testing::Test {
 protected:
  /// Enters, waits and leaves on the other thread; `granted` tells when it has gone on.
  Task<void> pass(RequestContext& context, Mode mode, std::atomic<bool>& granted) {
    RangeLock::Entry entry(line_, other_.reactor(), mode, 0, 8);
    entered_ = true;
    co_await entry.wait(context);
    granted = true;
  }
  Task<void> pass_over_there(Mode mode, std::atomic<bool>& granted) {
    return run_on(
        other_.reactor(), here_, context_,
        [this, mode, &granted](RequestContext& context) { return pass(context, mode, granted); });
  }
  void settle() {
    RequestContext context;
    run_until_done(
        here_, here_.sleep_until(context, Reactor::Clock::now() + std::chrono::milliseconds(20)));
  }

  RangeLock::Line line_{RangeLock::Line::Threads::kMany};
  Reactor here_;
  ReactorThread other_;
  RequestContext context_;
  std::atomic<bool> entered_ = false;
};

TEST_F(RangeLineTest, EntryOfAnotherThreadWaitsAndIsLetGo) {
  std::optional<RangeLock::Entry> mine;
  mine.emplace(line_, here_, Mode::kShared, 0, 8);
  std::atomic<bool> granted = false;
  bool done = false;
  spawn(pass_over_there(Mode::kExclusive, granted),
        [&](const std::exception_ptr&) { done = true; });
  while (!entered_) settle();
  settle();
  EXPECT_FALSE(granted);
  mine.reset();
  here_.run_until(done);
  EXPECT_TRUE(granted);
  EXPECT_TRUE(line_.empty());
}

TEST_F(RangeLineTest, SharedEntriesOfTwoThreadsDoNotWait) {
  const RangeLock::Entry mine(line_, here_, Mode::kShared, 0, 8);
  std::atomic<bool> granted = false;
  run_until_done(here_, pass_over_there(Mode::kShared, granted));
  EXPECT_TRUE(granted);
}

TEST_F(RangeLineTest, WhoGivesUpIsNotWokenLater) {
  std::optional<RangeLock::Entry> mine;
  mine.emplace(line_, here_, Mode::kExclusive, 0, 8);
  context_ = RequestContext::within(std::chrono::milliseconds(20));
  std::atomic<bool> granted = false;
  EXPECT_THROW(run_until_done(here_, pass_over_there(Mode::kShared, granted)), Error);
  mine.reset();
  settle();
  EXPECT_FALSE(granted);
  EXPECT_TRUE(line_.empty());
}

/// Cells that are changed without a lock of their own: a read-modify-write loses nothing only if
/// nobody else writes meanwhile, and a plain write only if no read-modify-write is under way.
struct Cells {
  static constexpr std::uint64_t kCount = 4;
  std::array<std::uint64_t, kCount> sums{};
  std::array<std::atomic<int>, kCount> inside{};
};

Task<void> change_many(RequestContext& context, RangeLock::Line& line, Reactor& reactor,
                       Cells& cells, unsigned seed) {
  constexpr int kRounds = 400;
  std::minstd_rand random(seed);
  for (int i = 0; i < kRounds; ++i) {
    const std::uint64_t at = random() % Cells::kCount;
    RangeLock::Entry entry(line, reactor, Mode::kExclusive, at, 1);
    co_await entry.wait(context);
    EXPECT_EQ(cells.inside[at]++, 0) << "two in one cell";
    const std::uint64_t read = cells.sums[at];
    co_await Yield{reactor};
    cells.sums[at] = read + 1;
    --cells.inside[at];
  }
}

TEST_F(RangeLineTest, ReadModifyWritesOfManyThreadsLoseNothing) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kTasks = 4;
  std::array<ReactorThread, kThreads> threads;
  Cells cells;
  std::vector<Task<void>> all;
  for (unsigned t = 0; t < kThreads; ++t) {
    for (unsigned i = 0; i < kTasks; ++i) {
      Reactor& reactor = threads[t].reactor();
      all.push_back(run_on(reactor, here_, context_,
                           [this, &reactor, &cells, seed = t * kTasks + i + 1](RequestContext& c) {
                             return change_many(c, line_, reactor, cells, seed);
                           }));
    }
  }
  run_until_done(here_, [](std::vector<Task<void>> tasks) -> Task<void> {
    co_await when_all(std::move(tasks));
  }(std::move(all)));
  std::uint64_t sum = 0;
  for (const std::uint64_t cell : cells.sums) sum += cell;
  EXPECT_EQ(sum, 400U * kThreads * kTasks);
  EXPECT_TRUE(line_.empty());
}

}  // namespace
}  // namespace lunfs
