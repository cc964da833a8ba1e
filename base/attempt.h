#pragma once

#include <memory>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"

namespace lunfs {

/// A running task that one can stop waiting for. For the end of a mount: work that blocks, or that
/// was sent and cannot be taken back, must not hold it up. The reactor's thread only.
class Attempt {
 public:
  /// Starts `task`, which runs to its end whatever becomes of this: what it works on lives longer.
  Attempt(Reactor& reactor, Task<void> task);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt();

  /// Ends with the task, by its exception if it failed; kTimedOut, kCancelled when the limit comes
  /// first. One wait at a time, as often as one likes.
  Task<void> wait(RequestContext& limit);

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared because the task may end after this
};

}  // namespace lunfs
