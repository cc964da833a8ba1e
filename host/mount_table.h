#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace lunfs::host {

/// The type of every mount of lunfs that was not given another one.
inline constexpr std::string_view kMountType = "fuse.lunfs";

/// A line of /proc/self/mountinfo.
struct MountEntry {
  std::string device;  ///< "major:minor"
  std::string type;    ///< "fuse.lunfs", "ext4", ...
  uid_t owner = 0;     ///< of a FUSE mount: whose daemon it is
};

/// What is mounted on exactly this directory, the topmost if there are several; nullopt if nothing
/// is. Asks the kernel's table only, never the mount itself.
[[nodiscard]] std::optional<MountEntry> find_mount(const std::string& mount_point);

/// The directory that `path` names as the mount table would write it, without touching a mount that
/// stands there: only what lies above it is looked at.
[[nodiscard]] std::string mount_point_of(const std::string& path);

}  // namespace lunfs::host
