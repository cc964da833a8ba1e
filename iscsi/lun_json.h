#pragma once

#include <nlohmann/json_fwd.hpp>

#include "iscsi/open_lun.h"

namespace lunfs::iscsi {

/// What a LUN is and can, as status.json and the tools show it; fields are only ever added.
/// Page: docs/control.md.
[[nodiscard]] nlohmann::ordered_json lun_json(const LunFeatures& features);

/// The same with the state of its session in front.
[[nodiscard]] nlohmann::ordered_json session_json(const LunDevice& lun);

}  // namespace lunfs::iscsi
