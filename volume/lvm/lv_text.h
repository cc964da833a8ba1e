#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "volume/lvm/label.h"
#include "volume/lvm/text_tree.h"
#include "volume/lvm/volume_group.h"

/// One LV's section of the text. Pure. Source: docs/formats/lvm-metadata.md, LVs and segments.
namespace lunfs::lvm {

/// What an LV's description is checked against. Names live as long as the tree.
struct VgFacts {
  std::string_view pv_name;  ///< the PV's section, "pv0"
  std::uint64_t extent_bytes = 0;
  std::uint64_t pe_start_bytes = 0;
  std::uint64_t pe_count = 0;
  std::uint64_t lun_bytes = 0;
  std::vector<DiskArea> reserved;  ///< label and metadata areas: no LV may lie there
  std::unordered_set<std::string_view> lv_names;
};

/// Physical extents that a segment of any type takes.
struct PeRun {
  std::string_view segment;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// An LV that a segment is built on.
struct NamedLv {
  std::string_view name;
  std::string_view key;
};

/// An LV as its own section tells it; what other LVs have to say about it comes later.
struct LvDraft {
  LogicalVolume lv;
  std::vector<PeRun> runs;
  std::vector<NamedLv> names;
};

/// Reads an LV's section. Never throws for what the section says: a defect or a type that is not
/// mapped ends up in lv.unmapped_reason; runs and names are collected as far as they can be read.
[[nodiscard]] LvDraft read_lv(const TextSection& section, const VgFacts& facts);

/// Takes the map away; the first reason stays.
void unmap(LogicalVolume& lv, std::string reason);

}  // namespace lunfs::lvm
