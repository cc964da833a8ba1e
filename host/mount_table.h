#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lunfs::host {

/// The type of every mount of lunfs that was not given another one.
inline constexpr std::string_view kMountType = "fuse.lunfs";

/// A line of /proc/self/mountinfo.
struct MountEntry {
  std::string mount_point;
  std::string device;   ///< "major:minor"
  std::string type;     ///< "fuse.lunfs", "ext4", ...
  std::string source;   ///< as the file system gave it
  std::string options;  ///< of the file system, with commas between: "rw,user_id=0,..."
  /// The kernel's number of the mount. Given again, like the device, as soon as the mount has gone:
  /// a later mount may well have both.
  std::uint64_t id = 0;

  /// The value of `name` in the options ("user_id"); nullopt if it is not there.
  [[nodiscard]] std::optional<std::string> option(const std::string& name) const;
};

/// The lines of a table in the form of /proc/self/mountinfo; lines that are none are left out.
/// Source: proc(5).
[[nodiscard]] std::vector<MountEntry> parse_mount_table(std::istream& table);

/// Everything that is mounted, in the order of mounting. Asks the kernel's table only, never a
/// mount.
[[nodiscard]] std::vector<MountEntry> all_mounts();

/// What is mounted on exactly this directory, the topmost if there are several; nullopt if nothing
/// is.
[[nodiscard]] std::optional<MountEntry> find_mount(const std::string& mount_point);

/// The directory that `path` names as the mount table would write it, without touching a mount that
/// stands there: only what lies above it is looked at.
[[nodiscard]] std::string mount_point_of(const std::string& path);

}  // namespace lunfs::host
