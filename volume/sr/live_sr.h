#pragma once

#include <cstdint>
#include <memory>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "base/reactor.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::sr {

/// The metadata of an SR that a pool may be changing while it is read: which state of the VG
/// counts, and whether it still does. What was read through a VG's map is good only if nobody had
/// committed by the time it had been read; then the extents were still those of the LV. Source:
/// docs/formats/sr-layout.md, reading while a pool works.
///
/// Calls may run at the same time. Belongs to the reactor's thread.
class LiveSr {
 public:
  /// `lun` (byte-granular) and `reactor` outlive this. `vg` is the state at the beginning.
  LiveSr(Reactor& reactor, BlockDevice& lun, std::shared_ptr<const lvm::VolumeGroup> vg);

  /// True if nobody has committed since `vg` was read, as a look that begins after this call tells.
  /// Callers that come while a look is under way share the next one, so that many reads cost one.
  Task<bool> is_current(RequestContext& context, const lvm::VolumeGroup& vg);

  /// The VG as it is now: read anew if somebody has committed. Errors: those of
  /// lvm::read_volume_group(); kNotFound if another VG is there now.
  Task<std::shared_ptr<const lvm::VolumeGroup>> current(RequestContext& context);

  [[nodiscard]] BlockDevice& lun() noexcept { return lun_; }
  [[nodiscard]] Reactor& reactor() noexcept { return reactor_; }

 private:
  Task<bool> look(RequestContext& context, std::uint64_t asked_at);

  Reactor& reactor_;
  BlockDevice& lun_;
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  RangeLock turns_;              ///< a line of one byte: one look or reading at a time
  std::uint64_t clock_ = 0;      ///< counts calls and looks, for telling which was first
  std::uint64_t looked_at_ = 0;  ///< when the last look that ended began
  bool unchanged_ = true;        ///< what that look found of vg_
};

}  // namespace lunfs::sr
