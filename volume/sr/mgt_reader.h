#pragma once

#include <memory>
#include <string>

#include "base/block_device.h"
#include "volume/lvm/volume_group.h"
#include "volume/sr/mgt.h"

namespace lunfs::sr {

/// Why the VG has no MGT that could be read ("there is no MGT volume"); empty if it has one.
[[nodiscard]] std::string mgt_absence(const lvm::VolumeGroup& vg);

/// Reads the MGT volume of an SR whose mgt_absence() is empty: its header, then what that says is
/// used. Errors: parse_mgt()'s, those of `lun` (byte-granular).
Task<Mgt> read_mgt(RequestContext& context, BlockDevice& lun,
                   std::shared_ptr<const lvm::VolumeGroup> vg);

}  // namespace lunfs::sr
