#include "fs/watched_mount.h"

namespace lunfs::fs {

namespace {

std::optional<host::MountEntry> topmost(const std::vector<host::MountEntry>& table,
                                        const std::string& directory) {
  std::optional<host::MountEntry> found;
  for (const host::MountEntry& entry : table) {
    if (entry.mount_point == directory) found = entry;
  }
  return found;
}

bool is_fuse(const host::MountEntry& entry) {
  return entry.type == "fuse" || entry.type.starts_with("fuse.");
}

/// Where it stands is left out: a mount can be moved.
bool same_mount(const host::MountEntry& one, const host::MountEntry& other) {
  return one.id == other.id && one.device == other.device && one.type == other.type;
}

}  // namespace

void WatchedMount::before(const std::vector<host::MountEntry>& table) {
  if (ours_) return;
  begun_ = true;
  other_ = topmost(table, mount_point_);
}

bool WatchedMount::after(const std::vector<host::MountEntry>& table) {
  if (!ours_) ours_ = newcomer(table);
  return ours_.has_value();
}

std::optional<host::MountEntry> WatchedMount::find(
    const std::vector<host::MountEntry>& table) const {
  if (!ours_) return newcomer(table);
  for (const host::MountEntry& entry : table) {
    if (same_mount(entry, *ours_)) return entry;
  }
  return std::nullopt;
}

std::optional<host::MountEntry> WatchedMount::newcomer(
    const std::vector<host::MountEntry>& table) const {
  if (!begun_) return std::nullopt;
  auto top = topmost(table, mount_point_);
  if (!top || !is_fuse(*top) || (other_ && same_mount(*top, *other_))) return std::nullopt;
  return top;
}

}  // namespace lunfs::fs
