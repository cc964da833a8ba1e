#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/block_device.h"

namespace lunfs::fs {

/// Remembers whether anything was acknowledged since the last flush of the LUN, so that a mount
/// that wrote nothing sends no flush either. The reactor's thread only, except for clean().
class Durability {
 public:
  explicit Durability(BlockDevice& device) : device_(device) {}

  /// A write was acknowledged.
  void wrote() noexcept {
    // One thread writes, so that no locked instruction is needed.
    acknowledged_.store(acknowledged_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
  }
  /// Any thread: it knows of each write that the kernel was told of before the call.
  [[nodiscard]] bool clean() const noexcept {
    const std::uint64_t durable = durable_.load(std::memory_order_acquire);
    return durable == acknowledged_.load(std::memory_order_acquire);
  }

  /// Every write acknowledged before the call is durable when it ends; else the device's Error.
  Task<void> flush(RequestContext& context) {
    if (clean()) co_return;
    const std::uint64_t covered = acknowledged_.load(std::memory_order_relaxed);
    co_await device_.flush(context);
    durable_.store(std::max(durable_.load(std::memory_order_relaxed), covered),
                   std::memory_order_release);
  }

 private:
  BlockDevice& device_;
  std::atomic<std::uint64_t> acknowledged_ = 0;  ///< writes, ever
  std::atomic<std::uint64_t> durable_ = 0;  ///< how many of them the last successful flush covered
};

}  // namespace lunfs::fs
