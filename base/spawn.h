#pragma once

#include <coroutine>
#include <exception>
#include <utility>
#include <vector>

#include "base/task.h"

namespace lunfs {

namespace detail {

/// A coroutine that starts at once, owns itself and must not throw.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

    static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
      frame_pool::release(frame, size);
    }
  };
};

}  // namespace detail

/// Starts `task` now and lets it run on by itself. `done` is called once, on the thread where the
/// task ends, with its exception or nullptr; it must not throw.
template <typename Done>
detail::Detached spawn(Task<void> task, Done done) {
  std::exception_ptr failure;
  try {
    co_await task;
  } catch (...) {
    failure = std::current_exception();
  }
  done(failure);
}

/// Runs all tasks at the same time and ends when every one has ended; then the first exception, in
/// the order of the list, is thrown. No buffer that a task uses is let go while another still runs.
class [[nodiscard]] WhenAll {
 public:
  explicit WhenAll(std::vector<Task<void>> tasks)
      : tasks_(std::move(tasks)), failures_(tasks_.size()) {}

  [[nodiscard]] bool await_ready() const noexcept { return tasks_.empty(); }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    pending_ = tasks_.size() + 1;  // one more, so that no early end resumes us inside this loop
    awaiting_ = awaiting;
    for (std::size_t i = 0; i < tasks_.size(); ++i) start(i);
    return --pending_ != 0;
  }
  void await_resume() const {
    for (const std::exception_ptr& failure : failures_) {
      if (failure) std::rethrow_exception(failure);
    }
  }

 private:
  void start(std::size_t i) {
    try {
      spawn(std::move(tasks_[i]), [this, i](std::exception_ptr failure) {
        failures_[i] = std::move(failure);
        if (--pending_ == 0) awaiting_.resume();
      });
    } catch (...) {  // no memory for its frame: it never ran, the others still do
      failures_[i] = std::current_exception();
      --pending_;
    }
  }

  std::vector<Task<void>> tasks_;
  std::vector<std::exception_ptr> failures_;
  std::coroutine_handle<> awaiting_;
  std::size_t pending_ = 0;
};

inline WhenAll when_all(std::vector<Task<void>> tasks) { return WhenAll(std::move(tasks)); }

}  // namespace lunfs
