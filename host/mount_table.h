#pragma once

#include <optional>
#include <string>

namespace lunfs::host {

/// A line of /proc/self/mountinfo.
struct MountEntry {
  std::string device;  ///< "major:minor"
  std::string type;    ///< "fuse.lunfs", "ext4", ...
};

/// What is mounted on exactly this directory, the topmost if there are several; nullopt if nothing
/// is. Asks the kernel's table only, never the mount itself.
[[nodiscard]] std::optional<MountEntry> find_mount(const std::string& mount_point);

}  // namespace lunfs::host
