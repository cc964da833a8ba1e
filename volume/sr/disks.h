#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/block_device.h"
#include "volume/sr/catalog.h"
#include "volume/sr/live_disk.h"
#include "volume/sr/live_sr.h"
#include "volume/sr/open_disk.h"

namespace lunfs::sr {

/// What a file of a mount reads and writes.
struct Disk {
  std::unique_ptr<BlockDevice> device;
  LiveDisk* live = nullptr;  ///< the device, if a pool may be changing what it reads
};

/// Opens the disks of a catalog; no I/O. In an SR that a pool may be changing (an SR that was not
/// stated to be detached) they are LiveDisks. One reactor's thread; outlives what it opened.
class Disks {
 public:
  /// `reactor`, `lun` (byte-granular) and `catalog` outlive this.
  Disks(Reactor& reactor, BlockDevice& lun, const Catalog& catalog, std::size_t cache_bytes);

  using Vg = std::shared_ptr<const lvm::VolumeGroup>;

  /// @param vg  of the catalog that `volume` is of: the first one, or where no pool is at work also
  ///            a later one of the same VG
  /// @param read_only  refuses changes; the volume's own reasons and its LV's do so in any case
  [[nodiscard]] Disk open_volume(const Vg& vg, const Volume& volume, bool read_only);
  /// The bytes of a mapped LV of `vg`, read-only.
  [[nodiscard]] Disk open_lv(const Vg& vg, const lvm::LogicalVolume& lv);

  [[nodiscard]] const vhd::MetadataCache& cache() const noexcept { return cache_; }

 private:
  [[nodiscard]] Disk live(std::unique_ptr<BlockDevice> device, LiveDisk::Opener opener);
  [[nodiscard]] LiveDisk::Opener opener_of(std::string lv_name);
  [[nodiscard]] Medium medium() { return {reactor_, lun_, cache_, images_}; }

  Reactor& reactor_;
  BlockDevice& lun_;
  const Catalog& catalog_;
  vhd::MetadataCache cache_;
  OpenImages images_;
  std::optional<LiveSr> live_;
};

}  // namespace lunfs::sr
