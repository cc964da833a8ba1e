#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/reactor.h"
#include "base/task.h"

namespace lunfs {

/// Threads for calls that block: file I/O, name resolution. Results go back to a reactor.
///
/// run() is for the reactor's thread. The destructor ends the queued work first: what was accepted
/// is done; a coroutine that waits for it is resumed only if its reactor turns on. The pool ends
/// before the reactors it was used with. Jobs in flight are bounded by the callers (one per
/// suspended coroutine).
class ThreadPool {
 public:
  /// `threads` > 0. kBusy if the system gives no thread.
  /// @param at_start  what each thread does first; must not throw
  explicit ThreadPool(unsigned threads, const std::function<void()>& at_start = {});
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Calls `job` on a pool thread and ends on the reactor's thread, with the job's exception if it
  /// threw one. Not cancellable: the job's buffers stay in use until it has ended.
  Task<void> run(Reactor& reactor, std::function<void()> job);

  /// No job is queued or running; one whose task has ended is neither. Thread-safe.
  [[nodiscard]] bool idle();

 private:
  struct Work {
    std::function<void()> job;
    std::function<void()> tell_end;  ///< when the thread is idle again
  };

  void work();
  void end() noexcept;
  void enqueue(Work work);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;             ///< guarded by mutex_
  std::size_t running_ = 0;            ///< guarded by mutex_
  bool ending_ = false;                ///< guarded by mutex_
  std::vector<std::jthread> threads_;  ///< constant after construction
};

}  // namespace lunfs
