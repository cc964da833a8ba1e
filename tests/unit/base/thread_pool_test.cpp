#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"

namespace lunfs {
namespace {

TEST(ThreadPool, JobRunsElsewhereAndItsTaskEndsHere) {
  Reactor reactor;
  ThreadPool pool(1);
  const auto here = std::this_thread::get_id();
  std::thread::id job_thread = here;
  std::optional<std::thread::id> end_thread;
  bool ended = false;
  spawn(pool.run(reactor, [&] { job_thread = std::this_thread::get_id(); }),
        [&](const std::exception_ptr&) {
          end_thread = std::this_thread::get_id();
          ended = true;
        });
  reactor.run_until(ended);
  EXPECT_NE(job_thread, here);
  EXPECT_EQ(end_thread, here);
}

TEST(ThreadPool, EachThreadBeginsWithWhatItWasGiven) {
  std::atomic<int> begun = 0;
  {
    const ThreadPool pool(3, [&] { ++begun; });
  }
  EXPECT_EQ(begun, 3);
}

TEST(ThreadPool, IsIdleWhenTheTaskOfItsOnlyJobHasEnded) {
  Reactor reactor;
  ThreadPool pool(1);
  for (int i = 0; i < 1000; ++i) {
    run_until_done(reactor, pool.run(reactor, [] {}));
    ASSERT_TRUE(pool.idle()) << "after job " << i;
  }
}

TEST(ThreadPool, ExceptionOfAJobComesBack) {
  Reactor reactor;
  ThreadPool pool(1);
  EXPECT_THROW(run_until_done(reactor, pool.run(reactor, [] { throw std::runtime_error("job"); })),
               std::runtime_error);
  int calls = 0;
  run_until_done(reactor, pool.run(reactor, [&] { ++calls; }));
  EXPECT_EQ(calls, 1) << "the thread goes on";
}

TEST(ThreadPool, ManyJobsAllEnd) {
  constexpr int kJobs = 500;
  Reactor reactor;
  ThreadPool pool(4);
  std::atomic<int> calls = 0;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < kJobs; ++i) tasks.push_back(pool.run(reactor, [&] { ++calls; }));
  run_until_done(reactor, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(tasks)));
  EXPECT_EQ(calls, kJobs);
}

TEST(ThreadPool, DestructorEndsWhatWasQueued) {
  constexpr int kJobs = 50;
  Reactor reactor;
  std::atomic<int> calls = 0;
  int ended = 0;
  bool all_ended = false;
  std::latch all_queued(1);
  {
    ThreadPool pool(2);
    for (int i = 0; i < kJobs; ++i) {
      spawn(pool.run(reactor,
                     [&] {
                       all_queued.wait();
                       ++calls;
                     }),
            [&](const std::exception_ptr&) { all_ended = ++ended == kJobs; });
    }
    all_queued.count_down();
  }
  EXPECT_EQ(calls, kJobs);
  reactor.run_until(all_ended);
  EXPECT_EQ(ended, kJobs);
}

TEST(ThreadPool, WithoutThreadsIsRefused) { EXPECT_THROW(ThreadPool(0), Error); }

}  // namespace
}  // namespace lunfs
