#pragma once

#include "base/block_device.h"
#include "volume/vhd/chain_map.h"

namespace lunfs::vhd {

/// Reads one table of an image from its LV and checks it.
/// A batmap whose checksum is wrong becomes an empty table: it is not used.
/// Errors: kCorrupt for a BAT entry that points astray; those of the LV.
Task<CachedTable> read_table(RequestContext& context, const Image& image,
                             const MissingTable& wanted);

}  // namespace lunfs::vhd
