#pragma once

#include <coroutine>

#include "base/reactor.h"

namespace lunfs::testing {

/// co_await Yield{reactor}: lets everything else that is ready run first.
struct Yield {
  Reactor& reactor;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { reactor.defer(handle); }
  void await_resume() const noexcept {}
};

}  // namespace lunfs::testing
