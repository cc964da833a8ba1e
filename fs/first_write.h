#pragma once

#include <atomic>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "volume/sr/quiescence.h"

namespace lunfs::fs {

/// The look at the SR before its first write, which any shard may be the one to make: all of them
/// ask here, one of them looks. Thread-safe once it was made.
class FirstWrite {
 public:
  /// @param owner  the reactor of `quiescence`; both outlive this
  FirstWrite(sr::Quiescence& quiescence, Reactor& owner) : quiescence_(quiescence), owner_(owner) {}

  /// True once it was found that writing is safe. It stays so, and costs nothing to ask.
  [[nodiscard]] bool safe() const noexcept { return safe_.load(std::memory_order_acquire); }

  /// sr::Quiescence::ensure(), asked by a coroutine of the reactor `here`.
  Task<void> ensure(RequestContext& context, Reactor& here);

 private:
  sr::Quiescence& quiescence_;
  Reactor& owner_;
  std::atomic<bool> safe_ = false;
};

}  // namespace lunfs::fs
