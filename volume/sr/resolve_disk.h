#pragma once

#include <memory>
#include <string>

#include "base/block_device.h"
#include "base/uuid.h"
#include "volume/sr/open_disk.h"

/// Opening a disk anew from a VG as it is now; for LiveDisk. Source: docs/formats/sr-layout.md.
namespace lunfs::sr {

/// Finds the LV that is the VDI now (a snapshot makes a raw one a VHD), reads the heads of its
/// chain and opens it. Errors: kNotFound if the VDI is gone; kBusy if a
/// journal says that it is being changed; kCorrupt with the reason if its chain cannot be read;
/// those of the LUN.
Task<std::unique_ptr<BlockDevice>> resolve_vdi(RequestContext& context, Medium medium,
                                               std::shared_ptr<const lvm::VolumeGroup> vg,
                                               Uuid vdi);

/// The bytes of the LV of that name. kNotFound if it is gone or no longer mapped.
std::unique_ptr<BlockDevice> resolve_lv(const Medium& medium,
                                        const std::shared_ptr<const lvm::VolumeGroup>& vg,
                                        const std::string& lv_name);

}  // namespace lunfs::sr
