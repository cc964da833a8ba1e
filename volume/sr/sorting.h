#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "volume/sr/catalog.h"
#include "volume/sr/mgt.h"

/// Which LV becomes a file, and why the others do not. Pure; no I/O.
/// Source: docs/formats/sr-layout.md.
namespace lunfs::sr {

/// What was read from inside the LVs of an SR.
struct SrContents {
  std::optional<Mgt> mgt;                             ///< nullopt: missing or damaged
  std::map<std::string, std::string> journal_values;  ///< by LV name; those kept in payloads
  VhdHeads heads;                                     ///< of every mapped VHD
  std::vector<std::string> warnings;
};

/// The catalog of a VG that is no SR: every visible, mapped LV under its own name.
[[nodiscard]] Catalog sort_plain(std::shared_ptr<const lvm::VolumeGroup> vg, bool detached);

/// The catalog of an SR. `vg` has an SR's name.
[[nodiscard]] Catalog sort_sr(std::shared_ptr<const lvm::VolumeGroup> vg, SrContents contents,
                              bool detached);

}  // namespace lunfs::sr
