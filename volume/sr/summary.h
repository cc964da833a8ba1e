#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/reactor.h"
#include "base/uuid.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::sr {

/// What a LUN holds, as a few small reads tell it.
struct Summary {
  enum class Kind {
    kSr,       ///< a VG of XenServer's
    kVg,       ///< another VG
    kPv,       ///< a PV that no VG uses
    kUnknown,  ///< something else
    kEmpty,    ///< zeros where anything known would begin or end
  };
  Kind kind = Kind::kEmpty;
  std::string looks_like;  ///< of kUnknown: "a GPT partition table", ...; empty = not recognised

  std::shared_ptr<const lvm::VolumeGroup> vg;  ///< of kSr and kVg

  // Of kSr; texts from MGT, empty where it could not be read.
  std::optional<Uuid> uuid;
  std::string label;
  std::string description;
  std::string allocation;          ///< "thick", "thin"
  std::size_t vdis = 0;            ///< LVs that are a VDI and, as far as MGT knows, no base copy
  bool has_pool_metadata = false;  ///< MGT has a VDI of type "metadata"
  std::vector<std::string> warnings;
};

/// Reads the label, the VG's text and MGT, and the heads of at most a few disks, so that a large SR
/// costs hardly more than a small one. Never writes.
///
/// Errors: those of lvm::read_volume_group() for a PV whose VG cannot be understood (kCorrupt,
/// kUnsupported); those of `lun` (byte-granular). A damaged MGT is a warning.
Task<Summary> summarize(RequestContext& context, BlockDevice& lun, Reactor& reactor);

}  // namespace lunfs::sr
