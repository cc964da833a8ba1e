#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "volume/lvm/label.h"

/// The metadata area: its header, and where in the ring the text lies. Pure; no I/O.
/// Source: docs/formats/lvm-metadata.md, metadata area.
namespace lunfs::lvm {

inline constexpr std::uint64_t kAreaHeaderBytes = 512;
/// Longest text that is read: hundred times what a full area of the usual size holds. Keeps a
/// damaged header from asking for memory without a bound.
inline constexpr std::uint64_t kMaxTextBytes = 32ULL << 20;

/// Where a text lies in the ring and what its checksum is; a raw_locn.
struct TextLocation {
  std::uint64_t offset = 0;  ///< bytes, from the start of the area
  std::uint64_t size = 0;    ///< bytes, with the trailing NUL
  std::uint32_t crc = 0;

  bool operator==(const TextLocation&) const = default;
};

/// A header whose checksum, magic, version and place are right.
struct AreaHeader {
  DiskArea area;                          ///< where the area is on the PV, by its own words
  bool ignored = false;                   ///< neither read nor trusted then
  std::optional<TextLocation> committed;  ///< slot 0; none = no VG, or ignored
  bool precommitted = false;              ///< slot 1 is in use: a commit runs, or one has crashed
  std::vector<std::string> warnings;
};

/// Reads the header at the start of `area` (as the label tells it) of a PV of `device_bytes`.
/// Errors: kCorrupt, with the field, what was found and what was expected; kUnsupported for a text
/// longer than kMaxTextBytes.
[[nodiscard]] AreaHeader parse_area_header(ConstByteSpan sector, const DiskArea& area,
                                           std::uint64_t device_bytes);

/// The text's runs on the PV in the text's order: one, or two if it wraps around the ring's end.
/// `header.committed` is there.
[[nodiscard]] std::vector<DiskArea> text_runs(const AreaHeader& header);

/// The text in `bytes` (all runs, one after the other) without its trailing NULs; shares their
/// storage. kCorrupt if the checksum is not `location`'s.
[[nodiscard]] std::string_view checked_text(ConstByteSpan bytes, const TextLocation& location);

}  // namespace lunfs::lvm
