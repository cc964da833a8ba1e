#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "base/reactor.h"
#include "base/spawn.h"
#include "base/task.h"

namespace lunfs {

/// Runs `reactor` on this thread until `task` has ended, and returns its result or throws its
/// exception. For the edges: mounting, tools, tests. Not to be called from inside a handler. A
/// stop() meanwhile is kept for the next run(): who wants to end the task cancels its context.
template <typename T>
T run_until_done(Reactor& reactor, Task<T> task) {
  std::optional<T> result;
  run_until_done(reactor, [](Task<T> inner, std::optional<T>& out) -> Task<void> {
    T value = co_await inner;
    out.emplace(std::move(value));
  }(std::move(task), result));
  return std::move(*result);
}

inline void run_until_done(Reactor& reactor, Task<void> task) {
  bool done = false;
  std::exception_ptr failure;
  spawn(std::move(task), [&](std::exception_ptr ended_by) {
    failure = std::move(ended_by);
    done = true;
  });
  reactor.run_until(done);  // somebody else's stop() neither ends this nor is lost
  if (failure) std::rethrow_exception(failure);
}

}  // namespace lunfs
