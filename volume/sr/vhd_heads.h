#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/error.h"
#include "volume/lvm/volume_group.h"
#include "volume/vhd/image_head.h"

namespace lunfs::sr {

/// What one look into a `VHD-` LV told.
struct VhdHead {
  std::optional<vhd::ImageHead> image;         ///< nullopt only with a fault
  std::string fault;                           ///< why the image cannot be used; empty = it is good
  ErrorKind fault_kind = ErrorKind::kCorrupt;  ///< of the fault; kBusy: it is being changed
  /// LV names from the locators, best first; read only if the header's own name names no LV.
  std::vector<std::string> parent_names;
  /// Bytes of the image's disk that it or an image below it stores; known after scan_chains().
  std::uint64_t allocated_bytes = 0;
};

/// By LV name.
using VhdHeads = std::map<std::string, VhdHead, std::less<>>;

/// Looks into the VHD that fills `lv` of `vg`, which is mapped. What is wrong with the image, the
/// LUN's refusal to read it included, is its fault in the result.
/// Errors: those that mean that the LUN is gone or the caller has given up (read_faults.h).
Task<VhdHead> read_vhd_head(RequestContext& context, BlockDevice& lun,
                            std::shared_ptr<const lvm::VolumeGroup> vg,
                            const lvm::LogicalVolume& lv);

/// The same for every mapped LV with the name of a VHD, a bounded number at a time.
Task<VhdHeads> read_vhd_heads(RequestContext& context, BlockDevice& lun,
                              std::shared_ptr<const lvm::VolumeGroup> vg);

}  // namespace lunfs::sr
