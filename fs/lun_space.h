#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/error.h"

namespace lunfs::fs {

/// Whether there is no space left behind a thin LUN, as far as the last writes tell. That concerns
/// the whole LUN, so it is said once and not for each request. Any thread.
class LunSpace {
 public:
  /// A pool on the edge takes one write and refuses the next: said again after this at the
  /// earliest.
  static constexpr std::chrono::seconds kSayAgain{60};

  explicit LunSpace(std::string_view source) : source_(source) {}

  /// A write was refused for want of space.
  void refused(const Error& error);
  /// A write succeeded.
  void accepted() {
    if (full_.load(std::memory_order_relaxed)) end();
  }
  [[nodiscard]] bool full() const noexcept { return full_.load(); }

 private:
  using Clock = std::chrono::steady_clock;

  void end();

  const std::string_view source_;  ///< outlives this
  std::atomic<bool> full_ = false;
  std::mutex mutex_;  ///< guards the rest
  bool said_ = false;
  Clock::time_point say_again_{};
  std::uint64_t refusals_ = 0;
};

}  // namespace lunfs::fs
