#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace lunfs::host {

/// A running mount's account of itself, the object of `.lunfs/status.json`: by its control socket,
/// which is found without touching the mount, as that hangs when its daemon does. Where there is
/// none (a user without a run directory), by the file itself. Page: docs/control.md.
///
/// @param mount_point  as the mount table has it: see mount_point_of()
/// Errors: kNotFound (no lunfs is mounted there), kPermission (another user's mount), kTimedOut
/// (its daemon does not answer within `limit`), kIo (it tells no status).
[[nodiscard]] nlohmann::ordered_json ask_mount_for_status(const std::string& mount_point,
                                                          std::chrono::seconds limit);

}  // namespace lunfs::host
