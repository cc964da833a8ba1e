#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "volume/lvm/segment_map.h"

namespace lunfs::lvm {

/// The triple that tells whether somebody has committed since: any change of it, equal or lower
/// seqno included, means that the VG is another one now. Source: docs/formats/lvm-metadata.md.
struct HeaderTriple {
  std::uint64_t text_offset = 0;  ///< bytes, from the start of the metadata area
  std::uint32_t text_crc = 0;
  std::uint32_t seqno = 0;

  bool operator==(const HeaderTriple&) const = default;
};

/// A metadata area's header as it was when the VG was read. Every commit rewrites it.
struct HeaderMark {
  std::uint64_t offset = 0;       ///< bytes, on the LUN
  std::vector<std::byte> sector;  ///< what stood there
};

/// One LV as the VG's text describes it.
struct LogicalVolume {
  std::string name;
  std::optional<LvmUuid> uuid;
  std::vector<std::string> tags;
  std::uint64_t size_bytes = 0;
  bool visible = true;   ///< status VISIBLE; internal LVs lack it
  bool writable = true;  ///< status WRITE, or flag WRITE_LOCKED
  /// Where its bytes are; null if the LV cannot be mapped.
  std::shared_ptr<const SegmentMap> map;
  /// Why `map` is null ("thin LV", "segment 2 reaches beyond the PV ..."); empty otherwise.
  std::string unmapped_reason;
};

/// A VG on one PV, an immutable value.
struct VolumeGroup {
  std::string name;
  std::optional<LvmUuid> uuid;
  std::optional<LvmUuid> pv_uuid;
  HeaderTriple header;
  std::vector<HeaderMark> header_marks;  ///< of every area whose header is good
  std::uint64_t extent_bytes = 0;
  std::uint64_t extent_count = 0;       ///< on the PV
  std::uint64_t free_extent_count = 0;  ///< not used by any segment, mapped or not
  std::uint64_t pe_start_bytes = 0;
  std::vector<LogicalVolume> volumes;  ///< in the text's order, hidden ones too
  /// Why nothing in this VG may be written (docs/formats/lvm-metadata.md, foreign writers): a
  /// sentence each; empty = it may.
  std::vector<std::string> write_refusals;
  /// What was odd but does not hinder reading ("dev_size is larger than the LUN"), a sentence each.
  std::vector<std::string> warnings;

  /// Null if there is none.
  [[nodiscard]] const LogicalVolume* find(std::string_view lv_name) const noexcept;
};

}  // namespace lunfs::lvm
