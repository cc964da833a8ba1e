#include "base/wake_up.h"

#include <algorithm>
#include <utility>

namespace lunfs {

void WakeUp::wake() {
  if (std::exchange(woken_, true)) return;
  if (waiting_) reactor_.defer(std::exchange(waiting_, nullptr));
}

WakeUp::Wait WakeUp::until(RequestContext& context, Clock::time_point when) {
  return {*this, context, std::min(when, context.deadline)};
}

void WakeUp::Wait::await_suspend(std::coroutine_handle<> handle) {
  owner_.waiting_ = handle;
  if (until_ != Clock::time_point::max()) {
    timer_ = owner_.reactor_.at(until_, [&owner = owner_] { owner.wake(); });
  }
  // Where it was cancelled already the callback runs here; that only defers, so this frame stays.
  if (context_.cancellation != nullptr) {
    registration_.emplace(context_.cancellation, [&owner = owner_] { owner.wake(); });
  }
}

}  // namespace lunfs
