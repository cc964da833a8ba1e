#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

/// The PV's label and header. Pure; no I/O. Source: docs/formats/lvm-metadata.md, label.
namespace lunfs::lvm {

inline constexpr std::uint64_t kSectorBytes = 512;  ///< also on LUNs with blocks of 4096 bytes
inline constexpr std::uint64_t kLabelScanBytes = 4 * kSectorBytes;

/// A run of the PV. Bytes.
struct DiskArea {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  bool operator==(const DiskArea&) const = default;
};

/// What the label sector says.
struct PvLabel {
  std::uint64_t sector = 0;  ///< where the label was found, 0 to 3
  LvmUuid pv_uuid;
  std::uint64_t device_size = 0;             ///< bytes; a hint, as pvresize leaves it alone
  std::vector<DiskArea> data_areas{};        ///< size 0 = to the end of the PV
  std::vector<DiskArea> metadata_areas{};    ///< unchecked: a LUN may have been cut
  std::vector<DiskArea> bootloader_areas{};  ///< empty before extension version 1
  std::uint32_t extension_version = 0;       ///< 0 = none
  bool in_use = false;                       ///< extension flag: a VG uses this PV
  std::vector<std::string> warnings{};       ///< oddities that did not hinder, a sentence each
};

/// Finds the label in the PV's first kLabelScanBytes; the first good one counts.
///
/// Errors: kNotFound if no sector has a label; kCorrupt if there are labels but none is good (the
/// message says for each what was found and expected), or if the PV header contradicts itself.
[[nodiscard]] PvLabel parse_label(ConstByteSpan first_sectors);

}  // namespace lunfs::lvm
