#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/block_device.h"
#include "iscsi/open_lun.h"

namespace lunfs::fs {

/// Remembers whether anything was acknowledged since the last flush of the LUN, so that a mount
/// that wrote nothing sends no flush either. The reactor's thread only, but for
/// clean() and losses().
class Durability {
 public:
  /// `lun`: the device, if it is a LUN behind iSCSI, else null.
  explicit Durability(BlockDevice& device, const iscsi::LunDevice* lun = nullptr)
      : device_(device), lun_(lun) {}

  /// How often acknowledged writes may have been lost with a session, whoever made them. Any
  /// thread.
  [[nodiscard]] std::uint64_t losses() const noexcept {
    return lun_ == nullptr ? 0 : lun_->losses();
  }

  /// A write was acknowledged: `bytes` of `file`, whose name outlives this; "" for what nobody's
  /// request wrote.
  void wrote(std::string_view file = {}, std::uint64_t bytes = 0) {
    // One thread writes, so that no locked instruction is needed.
    acknowledged_.store(acknowledged_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
    if (bytes != 0) by_file_[file].acknowledged += bytes;
  }
  /// A flush has nothing to do. Any thread: it knows of each write that the kernel was told of
  /// before the call.
  [[nodiscard]] bool clean() const noexcept {
    // The target may tell the session of one write what became of another's.
    if (lun_ != nullptr && lun_->failed_late()) return false;
    const std::uint64_t durable = durable_.load(std::memory_order_acquire);
    return durable == acknowledged_.load(std::memory_order_acquire);
  }

  /// Every write acknowledged before the call is durable when it ends; else the device's Error.
  Task<void> flush(RequestContext& context) {
    if (clean()) co_return;
    const std::uint64_t covered = acknowledged_.load(std::memory_order_relaxed);
    const std::map<std::string_view, Bytes> covered_by_file = by_file_;
    co_await device_.flush(context);
    durable_.store(std::max(durable_.load(std::memory_order_relaxed), covered),
                   std::memory_order_release);
    for (const auto& [file, bytes] : covered_by_file) {
      std::uint64_t& durable = by_file_[file].durable;
      durable = std::max(durable, bytes.acknowledged);
    }
  }

  /// What no flush has covered, as "4096 bytes of a.raw, 512 bytes of b.raw"; empty if nothing.
  [[nodiscard]] std::string at_stake() const;

 private:
  struct Bytes {
    std::uint64_t acknowledged = 0;  ///< ever
    std::uint64_t durable = 0;
  };

  BlockDevice& device_;
  const iscsi::LunDevice* lun_;
  std::atomic<std::uint64_t> acknowledged_ = 0;  ///< writes, ever
  std::atomic<std::uint64_t> durable_ = 0;  ///< how many of them the last successful flush covered
  std::map<std::string_view, Bytes> by_file_;  ///< bounded by the files of the mount
};

}  // namespace lunfs::fs
