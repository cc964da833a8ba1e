#pragma once

#include <cstdint>
#include <vector>

#include "base/uuid.h"
#include "volume/lvm/label.h"
#include "volume/lvm/text_tree.h"
#include "volume/lvm/volume_group.h"

/// The VG's text as a value. Pure. Source: docs/formats/lvm-metadata.md, text.
namespace lunfs::lvm {

/// What is known of the PV besides the text.
struct PvFacts {
  LvmUuid uuid;                    ///< the label's
  std::uint64_t lun_bytes = 0;     ///< what the LUN really has
  std::vector<DiskArea> reserved;  ///< label and metadata areas: no LV may lie there
};

/// Errors: kCorrupt if it is missing or no number of 32 bits.
[[nodiscard]] std::uint32_t seqno_of(const TextTree& text);

/// Everything of the VG but header.text_offset and header.text_crc, which are not in the text. A
/// defect of one LV costs that LV only.
///
/// Errors: kCorrupt for a defect of the VG itself; kUnsupported for another format and for a VG on
/// several PVs (the message names those that are missing).
[[nodiscard]] VolumeGroup to_volume_group(const TextTree& text, const PvFacts& pv);

}  // namespace lunfs::lvm
