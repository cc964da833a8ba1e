#pragma once

#include <memory>

#include "iscsi/open_lun.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::fs {

/// Agrees to a new session as long as nobody has committed to `vg` since it was read: its maps are
/// used on without looking again.
iscsi::ResumeGuard unless_changed(std::shared_ptr<const lvm::VolumeGroup> vg);

}  // namespace lunfs::fs
