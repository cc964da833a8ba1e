#pragma once

#include <nlohmann/json_fwd.hpp>

#include "volume/lvm/volume_group.h"
#include "volume/sr/catalog.h"

namespace lunfs::sr {

/// The VG and its PV, as status.json and the tools show them; fields are only ever added.
/// Page: docs/control.md.
[[nodiscard]] nlohmann::ordered_json vg_json(const lvm::VolumeGroup& vg);

/// Everything that a catalog says: "layout", "sr" where it is one, "vg", "volumes", "not_shown",
/// "warnings". Texts from the LUN may not be UTF-8.
[[nodiscard]] nlohmann::ordered_json catalog_json(const Catalog& catalog);

}  // namespace lunfs::sr
