#pragma once

#include <cstdint>
#include <vector>

#include "volume/lvm/lv_text.h"

/// What the LVs of a VG mean to one another. Pure.
/// Source: docs/formats/lvm-metadata.md, what makes an LV a file.
namespace lunfs::lvm {

/// Takes the map of every LV that another one is built on, that shares physical extents with
/// another (or with itself), or that has another's name or uuid; each reason names the other.
void check_relations(std::vector<LvDraft>& drafts);

/// How many of the PV's extents no segment takes, of whatever type.
[[nodiscard]] std::uint64_t free_extents(const std::vector<LvDraft>& drafts,
                                         std::uint64_t pe_count);

}  // namespace lunfs::lvm
