#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::sr {

/// The values of journals that keep them in their LV's first sector, by LV name. One that cannot be
/// read costs its value and a warning.
/// Errors: those that mean that the LUN is gone or the caller has given up (read_faults.h).
Task<std::map<std::string, std::string>> read_journal_values(
    RequestContext& context, BlockDevice& lun, std::shared_ptr<const lvm::VolumeGroup> vg,
    std::vector<std::string>& warnings);

}  // namespace lunfs::sr
