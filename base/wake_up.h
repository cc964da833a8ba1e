#pragma once

#include <coroutine>
#include <optional>

#include "base/reactor.h"
#include "base/request_context.h"

namespace lunfs {

/// A coroutine's wait that another party may end early. One coroutine waits at a time. Belongs to
/// the reactor's thread; lives until the wait has ended.
class WakeUp {
 public:
  using Clock = Reactor::Clock;

  /// `reactor` outlives this.
  explicit WakeUp(Reactor& reactor) : reactor_(reactor) {}
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  /// Ends the wait, or the next one if nobody waits. The coroutine is resumed later in this turn,
  /// never from inside this call.
  void wake();

  class [[nodiscard]] Wait {
   public:
    Wait(WakeUp& owner, RequestContext& context, Clock::time_point until)
        : owner_(owner), context_(context), until_(until) {}
    [[nodiscard]] bool await_ready() const noexcept { return owner_.woken_; }
    void await_suspend(std::coroutine_handle<> handle);
    void await_resume() const noexcept { owner_.woken_ = false; }

   private:
    WakeUp& owner_;
    RequestContext& context_;
    Clock::time_point until_;
    Reactor::Timer timer_;
    std::optional<Cancellation::Registration> registration_;
  };

  /// co_await this: suspends until wake(), `when`, the context's deadline or its cancellation,
  /// whichever is first. Does not tell which: the caller looks at its own state, then calls
  /// context.check().
  Wait until(RequestContext& context, Clock::time_point when = Clock::time_point::max());

 private:
  Reactor& reactor_;
  std::coroutine_handle<> waiting_;
  bool woken_ = false;
};

}  // namespace lunfs
