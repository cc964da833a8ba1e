#pragma once

#include <memory>
#include <vector>

#include "volume/sr/chain_plan.h"
#include "volume/sr/vhd_heads.h"

namespace lunfs::sr {

/// Reads the BATs of all images of these chains, parents before their children: an image whose
/// table is damaged gets that as its fault, the others the bytes that are allocated in the chain
/// from them down (VhdHead::allocated_bytes).
///
/// @param plans  readable ones, made from `heads`
/// Errors: as those of read_vhd_heads(); `heads` then hold what was found so far.
Task<void> scan_chains(RequestContext& context, BlockDevice& lun,
                       std::shared_ptr<const lvm::VolumeGroup> vg,
                       const std::vector<ChainPlan>& plans, VhdHeads& heads);

}  // namespace lunfs::sr
