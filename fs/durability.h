#pragma once

#include <algorithm>
#include <cstdint>

#include "base/block_device.h"
#include "iscsi/open_lun.h"

namespace lunfs::fs {

/// Remembers whether anything was acknowledged since the last flush of the LUN, so that a mount
/// that wrote nothing sends no flush either. The reactor's thread only.
class Durability {
 public:
  /// `lun`: the device, if it is a LUN behind iSCSI, else null.
  explicit Durability(BlockDevice& device, const iscsi::LunDevice* lun = nullptr)
      : device_(device), lun_(lun) {}

  /// How often acknowledged writes may have been lost with a session, whoever made them.
  [[nodiscard]] std::uint64_t losses() const noexcept {
    return lun_ == nullptr ? 0 : lun_->losses();
  }

  /// A write was acknowledged.
  void wrote() noexcept { ++acknowledged_; }
  [[nodiscard]] bool clean() const noexcept { return durable_ == acknowledged_; }

  /// Every write acknowledged before the call is durable when it ends; else the device's Error.
  Task<void> flush(RequestContext& context) {
    if (clean()) co_return;
    const std::uint64_t covered = acknowledged_;
    co_await device_.flush(context);
    durable_ = std::max(durable_, covered);
  }

 private:
  BlockDevice& device_;
  const iscsi::LunDevice* lun_;
  std::uint64_t acknowledged_ = 0;  ///< writes, ever
  std::uint64_t durable_ = 0;       ///< how many of them the last successful flush covered
};

}  // namespace lunfs::fs
