#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/block_device.h"
#include "base/reactor.h"
#include "volume/lvm/volume_group.h"
#include "volume/sr/chain_plan.h"
#include "volume/sr/vhd_heads.h"
#include "volume/vhd/chain.h"
#include "volume/vhd/metadata_cache.h"

namespace lunfs::sr {

/// The bases that chains have open, so that chains with a common one share it, and with it the
/// cached tables. Leaves are not shared: a host may be writing into one. One reactor's thread.
///
/// A base is shared only within one state of the VG: a commit in between can mean that the storage
/// manager has copied into it, which changes its tables but nothing in its head.
class OpenImages {
 public:
  /// The base that fills `lv`; a new one if none with that head is open.
  [[nodiscard]] std::shared_ptr<const vhd::Image> open(
      BlockDevice& lun, const std::shared_ptr<const lvm::VolumeGroup>& vg,
      const lvm::LogicalVolume& lv, const vhd::ImageHead& head, vhd::MetadataCache& cache);

  /// Those that some chain holds.
  [[nodiscard]] std::size_t count() const noexcept;

 private:
  /// VG's text, LV, head.
  using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, std::string, std::uint64_t>;

  std::map<Key, std::weak_ptr<const vhd::Image>> open_;
};

/// What disks are opened on; all of it outlives them.
struct Medium {
  Reactor& reactor;
  BlockDevice& lun;  ///< byte-granular
  vhd::MetadataCache& cache;
  OpenImages& images;
};

/// Everything that is needed to open a disk without I/O; immutable, `heads` are shared by the disks
/// of a catalog.
struct DiskSource {
  ChainPlan plan;
  std::shared_ptr<const VhdHeads> heads;
};

/// Opens a disk; no I/O. A chain is read-only in any case.
///
/// @param source  its plan is readable and was made from its heads and `vg`
/// @param read_only  refuses changes of a raw disk
/// Errors: kInternal if plan, heads and VG do not belong together.
[[nodiscard]] std::unique_ptr<BlockDevice> open_disk(
    const Medium& medium, const std::shared_ptr<const lvm::VolumeGroup>& vg,
    const DiskSource& source, bool read_only);

}  // namespace lunfs::sr
