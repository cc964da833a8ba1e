#include "fs/vg_look.h"

#include <exception>

#include "base/error.h"
#include "base/log.h"
#include "base/spawn.h"

namespace lunfs::fs {

bool VgLook::reachable() const { return source_.lun == nullptr || source_.lun->connected(); }

void VgLook::used() {
  if (looking_ || closing_.requested() || !reachable() || !watch_.take_turn()) return;
  looking_ = true;
  spawn(look(), [this](const std::exception_ptr& failure) { ended(failure); });
}

Task<void> VgLook::look() {
  RequestContext context = RequestContext::within(kLimit);
  context.cancellation = &closing_;
  co_await watch_.look(context, *source_.device, reactor_);
}

void VgLook::ended(const std::exception_ptr& failure) {
  looking_ = false;
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    // Whoever reads or writes is told; and what was given up is in the log.
    log::debug("looking whether the VG has changed: {}", error.what());
  }
  waiting_.wake_all();
  ended_.wake();
}

Task<void> VgLook::before_open(RequestContext& context, bool writing) {
  if (!reachable()) co_return;
  if (writing) {
    co_await watch_.look(context, *source_.device, reactor_);
    co_return;
  }
  used();
  const auto patience = RequestContext::Clock::now() + kPatience;
  while (looking_ && RequestContext::Clock::now() < patience) {
    WakeUp told(reactor_);
    const WakeUpLine::Place place(waiting_, told, RequestContext::Clock::now());
    co_await told.until(context, patience);
    context.check();
  }
}

Task<void> VgLook::drained(RequestContext& context) {
  closing_.request();
  while (looking_) {
    context.check();
    co_await ended_.until(context);
  }
}

}  // namespace lunfs::fs
