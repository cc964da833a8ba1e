#include "fs/byte_budget.h"

#include <optional>

#include "base/error.h"

namespace lunfs::fs {

struct ByteBudget::Awaiter {
  ByteBudget& budget;
  RequestContext& context;
  Waiter waiter;
  std::optional<Cancellation::Registration> registration;
  Reactor::Timer timer;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter.handle = handle;
    waiter.place = budget.waiters_.insert(budget.waiters_.end(), &waiter);
    waiter.queued = true;
    if (context.cancellation != nullptr) {
      registration.emplace(context.cancellation, [this] { budget.leave(waiter); });
    }
    if (context.deadline != RequestContext::Clock::time_point::max()) {
      timer = budget.reactor_.at(context.deadline, [this] { budget.leave(waiter); });
    }
  }
  void await_resume() const {
    if (waiter.granted) return;
    context.check();
    throw Error(ErrorKind::kCancelled, "the wait for buffer space was ended");
  }
};

void ByteBudget::leave(Waiter& waiter) {
  if (!waiter.queued) return;  // granted already; it will go on
  waiter.queued = false;
  waiters_.erase(waiter.place);
  reactor_.defer(waiter.handle);
}

void ByteBudget::give_back(std::size_t bytes) {
  used_ -= bytes;
  while (!waiters_.empty() && fits(waiters_.front()->bytes)) {
    Waiter& next = *waiters_.front();
    waiters_.pop_front();
    next.queued = false;
    next.granted = true;
    used_ += next.bytes;
    reactor_.defer(next.handle);
  }
}

Task<ByteBudget::Share> ByteBudget::take(RequestContext& context, std::size_t bytes) {
  context.check();
  if (waiters_.empty() && fits(bytes)) {
    used_ += bytes;
    co_return Share(this, bytes);
  }
  Awaiter awaiter{*this, context, {}, {}, {}};
  awaiter.waiter.bytes = bytes;
  co_await awaiter;
  co_return Share(this, bytes);
}

}  // namespace lunfs::fs
