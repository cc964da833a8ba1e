#include "base/range_lock.h"

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using Mode = RangeLock::Mode;
using testing::Yield;

class RangeLockTest : public ::testing::Test {
 protected:
  /// Turns the reactor a few times, so that everybody who was granted has gone on.
  void settle() {
    run_until_done(reactor_, [](Reactor& reactor) -> Task<void> {
      for (int i = 0; i < 3; ++i) co_await Yield{reactor};
    }(reactor_));
  }

  Reactor reactor_;
  RangeLock lock_{reactor_};
  RequestContext context_;
};

struct Case {
  const char* name;
  Mode earlier_mode;
  std::uint64_t earlier_offset;
  std::uint64_t earlier_length;
  Mode later_mode;
  std::uint64_t later_offset;
  std::uint64_t later_length;
  bool granted;
};

void PrintTo(const Case& pair, std::ostream* out) { *out << pair.name; }

class RangeLockPairs : public ::testing::TestWithParam<Case> {};

TEST_P(RangeLockPairs, LaterIsGrantedUnlessTheyConflict) {
  const Case& pair = GetParam();
  Reactor reactor;
  RangeLock lock(reactor);
  const RangeLock::Entry earlier(lock, pair.earlier_mode, pair.earlier_offset, pair.earlier_length);
  const RangeLock::Entry later(lock, pair.later_mode, pair.later_offset, pair.later_length);
  EXPECT_TRUE(earlier.granted());
  EXPECT_EQ(later.granted(), pair.granted);
}

INSTANTIATE_TEST_SUITE_P(
    All, RangeLockPairs,
    ::testing::Values(Case{"SharedShared", Mode::kShared, 0, 8, Mode::kShared, 4, 8, true},
                      Case{"SharedExclusive", Mode::kShared, 0, 8, Mode::kExclusive, 7, 8, false},
                      Case{"ExclusiveShared", Mode::kExclusive, 0, 8, Mode::kShared, 7, 1, false},
                      Case{"ExclusiveExclusive", Mode::kExclusive, 4, 8, Mode::kExclusive, 0, 5,
                           false},
                      Case{"Touching", Mode::kExclusive, 0, 8, Mode::kExclusive, 8, 8, true},
                      Case{"TouchingBefore", Mode::kExclusive, 8, 8, Mode::kShared, 0, 8, true},
                      Case{"Inside", Mode::kExclusive, 0, 100, Mode::kShared, 50, 1, false},
                      Case{"Around", Mode::kShared, 50, 1, Mode::kExclusive, 0, 100, false}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(RangeLockTest, WaiterGoesWhenTheLastBlockerHasLeft) {
  auto first = std::make_unique<RangeLock::Entry>(lock_, Mode::kShared, 0, 8);
  auto second = std::make_unique<RangeLock::Entry>(lock_, Mode::kShared, 4, 8);
  RangeLock::Entry waiter(lock_, Mode::kExclusive, 0, 12);
  bool gone_on = false;
  spawn(waiter.wait(context_), [&](const std::exception_ptr&) { gone_on = true; });
  first.reset();
  settle();
  EXPECT_FALSE(gone_on);
  second.reset();
  settle();
  EXPECT_TRUE(gone_on);
}

TEST_F(RangeLockTest, SharedBehindWaitingExclusiveWaitsToo) {
  auto running = std::make_unique<RangeLock::Entry>(lock_, Mode::kShared, 0, 8);
  auto exclusive = std::make_unique<RangeLock::Entry>(lock_, Mode::kExclusive, 0, 8);
  const RangeLock::Entry shared(lock_, Mode::kShared, 0, 8);
  EXPECT_FALSE(shared.granted());
  running.reset();
  EXPECT_TRUE(exclusive->granted());
  EXPECT_FALSE(shared.granted());
  exclusive.reset();
  EXPECT_TRUE(shared.granted());
}

TEST_F(RangeLockTest, DeadlineEndsTheWaitAndHarmsNobody) {
  auto running = std::make_unique<RangeLock::Entry>(lock_, Mode::kShared, 0, 8);
  auto late = std::make_unique<RangeLock::Entry>(lock_, Mode::kExclusive, 0, 8);
  const RangeLock::Entry behind(lock_, Mode::kShared, 0, 8);
  RequestContext short_lived = RequestContext::within(std::chrono::milliseconds(20));
  try {
    run_until_done(reactor_, late->wait(short_lived));
    FAIL() << "granted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  }
  EXPECT_FALSE(behind.granted());
  late.reset();
  EXPECT_TRUE(behind.granted()) << "only the one that gave up was in the way";
}

TEST_F(RangeLockTest, CancellationEndsTheWait) {
  const RangeLock::Entry running(lock_, Mode::kExclusive, 0, 8);
  RangeLock::Entry waiter(lock_, Mode::kExclusive, 0, 8);
  Cancellation cancellation;
  RequestContext cancellable{.cancellation = &cancellation};
  std::exception_ptr failure;
  spawn(waiter.wait(cancellable),
        [&](std::exception_ptr ended_by) { failure = std::move(ended_by); });
  settle();
  EXPECT_FALSE(failure);
  cancellation.request();
  settle();
  ASSERT_TRUE(failure);
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST_F(RangeLockTest, GrantWinsOverCancellationInTheSameTurn) {
  auto running = std::make_unique<RangeLock::Entry>(lock_, Mode::kExclusive, 0, 8);
  RangeLock::Entry waiter(lock_, Mode::kExclusive, 0, 8);
  Cancellation cancellation;
  RequestContext cancellable{.cancellation = &cancellation};
  int ended = 0;
  std::exception_ptr failure;
  spawn(waiter.wait(cancellable), [&](std::exception_ptr ended_by) {
    ++ended;
    failure = std::move(ended_by);
  });
  cancellation.request();
  running.reset();
  settle();
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(failure);
}

TEST_F(RangeLockTest, IsEmptyWhenAllHaveLeft) {
  {
    const RangeLock::Entry one(lock_, Mode::kShared, 0, 8);
    const RangeLock::Entry two(lock_, Mode::kExclusive, 0, 8);
    EXPECT_FALSE(lock_.empty());
  }
  EXPECT_TRUE(lock_.empty());
}

}  // namespace
}  // namespace lunfs
