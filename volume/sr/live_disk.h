#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/block_device.h"
#include "base/error.h"
#include "base/range_lock.h"
#include "volume/sr/live_sr.h"

namespace lunfs::sr {

/// A disk of an SR that a pool may be changing; read-only. Every read is checked after it was done:
/// if somebody has committed meanwhile, or the disk's VHDs have changed, the disk is opened anew
/// from the metadata as it is now and the read is done again. So a read gives what the disk held at
/// one moment, or an Error; never bytes of an extent that has become another LV's.
///
/// Its size is that of the first opening. Belongs to the reactor's thread.
class LiveDisk final : public BlockDevice {
 public:
  /// Opens the disk as the VG describes it. Errors: kBusy while the storage manager is in the
  /// middle of changing it (tried again for a while), others end the read.
  using Opener = std::function<Task<std::unique_ptr<BlockDevice>>(
      RequestContext& context, std::shared_ptr<const lvm::VolumeGroup> vg)>;

  /// How long a read waits for the storage manager to finish what it has begun: a snapshot takes
  /// seconds.
  static constexpr std::chrono::seconds kPatience{10};

  /// `sr` outlives this. `disk` was opened from `vg`. Tests shorten `patience`.
  LiveDisk(LiveSr& sr, std::shared_ptr<const lvm::VolumeGroup> vg,
           std::unique_ptr<BlockDevice> disk, Opener opener,
           std::chrono::milliseconds patience = kPatience);

  /// The next read opens the disk anew: what a host wrote into the VHD's tables since is seen then.
  void renew() noexcept { stale_ = true; }

  [[nodiscard]] Geometry geometry() const noexcept override { return geometry_; }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  /// The disk as of one state of the VG; requests share it with the LiveDisk.
  struct Opened {
    std::shared_ptr<const lvm::VolumeGroup> vg;
    std::unique_ptr<BlockDevice> disk;
  };
  using Work = std::function<Task<void>(BlockDevice& disk)>;

  /// Does `work` until it was done on a state that still counted at its end.
  Task<void> consistently(RequestContext& context, Work work);
  Task<std::shared_ptr<const Opened>> opened(RequestContext& context,
                                             RequestContext::Clock::time_point give_up);
  Task<std::optional<Error>> try_to_open(RequestContext& context);
  Task<bool> still_counts(RequestContext& context, const Opened& opened);

  LiveSr& sr_;
  Opener opener_;
  std::chrono::milliseconds patience_;
  Geometry geometry_;
  std::shared_ptr<const Opened> opened_;
  bool stale_ = false;  ///< opened_ is not to be used by requests that begin now
  RangeLock turns_;     ///< a line of one byte: one opening at a time
};

}  // namespace lunfs::sr
