#include "base/hand_over.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "base/wake_up.h"
#include "tests/support/reactor_thread.h"

namespace lunfs {
namespace {

using testing::ReactorThread;

Task<void> note_thread(std::thread::id& where) {
  where = std::this_thread::get_id();
  co_return;
}

Task<void> fail() {
  throw Error(ErrorKind::kBusy, "not now");
  co_return;
}

Task<void> wait_for_end(RequestContext& context, Reactor& reactor) {
  WakeUp never(reactor);
  co_await never.until(context);
  context.check();
}

class HandOverTest : public ::testing::Test {
 protected:
  ErrorKind failure_of(Task<void> task) {
    try {
      run_until_done(here_, std::move(task));
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  }

  Reactor here_;
  ReactorThread other_;
  RequestContext context_;
};

TEST_F(HandOverTest, WorkRunsOnTheOtherThreadAndTheCallerGoesOnOnItsOwn) {
  std::thread::id worked;
  std::thread::id went_on;
  bool done = false;
  spawn(run_on(other_.reactor(), here_, context_,
               [&](RequestContext&) { return note_thread(worked); }),
        [&](const std::exception_ptr&) {
          went_on = std::this_thread::get_id();
          done = true;
        });
  here_.run_until(done);
  EXPECT_EQ(worked, other_.id());
  EXPECT_EQ(went_on, std::this_thread::get_id());
}

TEST_F(HandOverTest, SameReactorRunsAtOnce) {
  std::thread::id worked;
  bool done = false;
  spawn(run_on(here_, here_, context_, [&](RequestContext&) { return note_thread(worked); }),
        [&](const std::exception_ptr&) { done = true; });
  EXPECT_TRUE(done);
}

TEST_F(HandOverTest, ErrorComesBack) {
  EXPECT_EQ(
      failure_of(run_on(other_.reactor(), here_, context_, [](RequestContext&) { return fail(); })),
      ErrorKind::kBusy);
}

TEST_F(HandOverTest, ErrorBeforeTheFirstSuspensionComesBack) {
  EXPECT_EQ(failure_of(run_on(other_.reactor(), here_, context_,
                              [](RequestContext&) -> Task<void> {
                                throw Error(ErrorKind::kNotFound, "no such work");
                              })),
            ErrorKind::kNotFound);
}

TEST_F(HandOverTest, DeadlineReachesTheWork) {
  context_ = RequestContext::within(std::chrono::milliseconds(20));
  EXPECT_EQ(failure_of(run_on(other_.reactor(), here_, context_,
                              [this](RequestContext& context) {
                                return wait_for_end(context, other_.reactor());
                              })),
            ErrorKind::kTimedOut);
}

TEST_F(HandOverTest, CancellationReachesTheWork) {
  Cancellation cancellation;
  context_.cancellation = &cancellation;
  const Reactor::Timer soon = here_.at(Reactor::Clock::now() + std::chrono::milliseconds(20),
                                       [&] { cancellation.request(); });
  EXPECT_EQ(failure_of(run_on(other_.reactor(), here_, context_,
                              [this](RequestContext& context) {
                                return wait_for_end(context, other_.reactor());
                              })),
            ErrorKind::kCancelled);
}

TEST_F(HandOverTest, CancelledBeforeIsCancelledThere) {
  Cancellation cancellation;
  cancellation.request();
  context_.cancellation = &cancellation;
  EXPECT_EQ(failure_of(run_on(other_.reactor(), here_, context_,
                              [this](RequestContext& context) {
                                return wait_for_end(context, other_.reactor());
                              })),
            ErrorKind::kCancelled);
}

TEST_F(HandOverTest, ManyAtOnceAllComeBack) {
  constexpr int kMany = 1000;
  int count = 0;  // the other thread's, until all have ended
  std::vector<Task<void>> all;
  for (int i = 0; i < kMany; ++i) {
    all.push_back(run_on(other_.reactor(), here_, context_, [&count](RequestContext&) {
      return [](int& counted) -> Task<void> {
        ++counted;
        co_return;
      }(count);
    }));
  }
  run_until_done(here_, [](std::vector<Task<void>> tasks) -> Task<void> {
    co_await when_all(std::move(tasks));
  }(std::move(all)));
  EXPECT_EQ(count, kMany);
}

}  // namespace
}  // namespace lunfs
