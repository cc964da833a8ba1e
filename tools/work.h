#pragma once

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "base/attempt.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/request_context.h"
#include "base/run.h"
#include "base/task.h"
#include "base/thread_pool.h"

namespace lunfs::tools {

/// What a tool's coroutines run on. What they work on is derived from this, so that it lives as
/// long as they do.
struct Work {
  static constexpr unsigned kThreads = 4;

  Reactor reactor;
  RequestContext context;
  bool ended = false;         ///< the coroutines have
  ThreadPool pool{kThreads};  ///< last: its threads end first
};

/// Owns a Work, or leaves it to the end of the program where something in it cannot be ended: a
/// command without an answer, a thread that hangs in a device.
template <typename Kind>
class WorkOwner {
 public:
  explicit WorkOwner(std::unique_ptr<Kind> work) : work_(std::move(work)) {}
  WorkOwner(const WorkOwner&) = delete;
  WorkOwner& operator=(const WorkOwner&) = delete;
  ~WorkOwner() {
    if (!work_->ended || !work_->pool.idle()) static_cast<void>(work_.release());
  }
  [[nodiscard]] Kind& operator*() const noexcept { return *work_; }

 private:
  std::unique_ptr<Kind> work_;
};

/// Runs `task` and notes its end, however it comes.
inline Task<void> noting_end(Work& work, Task<void> task) {
  struct Mark {
    Work& work;
    ~Mark() { work.ended = true; }
  } const mark{work};
  co_await task;
}

/// Runs what `start` makes (a Task<void>, given the work's context) to its end, or lets go of it
/// when the time is over: kTimedOut.
template <typename Start>
void run_within(Work& work, std::chrono::seconds limit, Start start) {
  // A little more for what ends by itself at the deadline, as that knows better what it waited for.
  constexpr std::chrono::milliseconds kGrace{500};
  work.ended = false;
  work.context = RequestContext::within(limit);
  RequestContext patience = RequestContext::within(limit + kGrace);
  Attempt attempt(work.reactor, noting_end(work, start(work.context)));
  try {
    run_until_done(work.reactor, attempt.wait(patience));
  } catch (const Error&) {
    if (work.ended) throw;
    throw Error(ErrorKind::kTimedOut, fmt::format("not done within {} s", limit.count()));
  }
}

}  // namespace lunfs::tools
