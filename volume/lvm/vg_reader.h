#pragma once

#include <memory>

#include "base/block_device.h"
#include "base/reactor.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::lvm {

/// Reads the VG of the PV that fills `device`: label, PV header, metadata areas, newest good text.
/// Never writes. A checksum that does not match is read again a few times before it counts, as
/// hosts race with the pool's master; `reactor` times the pauses in between.
///
/// Errors: kNotFound (no PV, or a PV without a VG), kCorrupt (names the structure, what was found
/// and what was expected), kUnsupported (a VG on several PVs: names the missing ones).
Task<std::shared_ptr<const VolumeGroup>> read_volume_group(RequestContext& context,
                                                           BlockDevice& device, Reactor& reactor);

/// True if nobody has committed between the reading of `vg` and this call: what was read through
/// its map meanwhile lay in the LVs that it names. Reads a sector for each metadata area. A header
/// that was merely written anew with other content (a commit prepared and given up) counts as a
/// commit. Errors: those of `device`.
Task<bool> is_still_current(RequestContext& context, BlockDevice& device, const VolumeGroup& vg);

/// Only the header triple of the newest good metadata area; as above. For noticing commits of
/// others.
Task<HeaderTriple> read_header_triple(RequestContext& context, BlockDevice& device,
                                      Reactor& reactor);

}  // namespace lunfs::lvm
