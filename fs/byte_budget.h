#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <utility>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/wake_up.h"

namespace lunfs::fs {

/// Bounds the bytes of I/O in flight. Requests over the bound wait here, in order, holding no
/// buffer; /dev/fuse is read all the same, so that they can be interrupted. The reactor's thread
/// only.
class ByteBudget {
 public:
  ByteBudget(Reactor& reactor, std::size_t limit_bytes) : reactor_(reactor), limit_(limit_bytes) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  /// A share of the budget; given back when this ends.
  class Share {
   public:
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (budget_ != nullptr) budget_->give_back(bytes_);
    }

   private:
    friend class ByteBudget;
    Share(ByteBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    ByteBudget* budget_;
    std::size_t bytes_;
  };

  /// A share for which nobody has to wait; else nothing is taken. kCancelled or kTimedOut if the
  /// context has ended.
  std::optional<Share> take_at_once(const RequestContext& context, std::size_t bytes) {
    context.check();
    if (!waiters_.empty() || !fits(bytes)) return std::nullopt;
    used_ += bytes;
    return Share(this, bytes);
  }

  /// Waits for `bytes`; one request larger than the whole bound gets through alone. kCancelled or
  /// kTimedOut if the context ends first: nothing was taken then.
  Task<Share> take(RequestContext& context, std::size_t bytes);

  [[nodiscard]] std::size_t bytes_in_flight() const noexcept { return used_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiters_.size(); }

 private:
  struct Waiter {
    Waiter(Reactor& reactor, std::size_t wanted) : wake_up(reactor), bytes(wanted) {}
    WakeUp wake_up;
    std::size_t bytes;
    bool granted = false;
  };

  [[nodiscard]] bool fits(std::size_t bytes) const noexcept {
    return used_ == 0 || used_ + bytes <= limit_;
  }
  void give_back(std::size_t bytes);
  void admit();

  Reactor& reactor_;
  std::size_t limit_;
  std::size_t used_ = 0;
  std::list<Waiter*> waiters_;
};

}  // namespace lunfs::fs
