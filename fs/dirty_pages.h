#pragma once

#include <string>

namespace lunfs::fs {

/// Dirty pages of the mount's mapped files become writes now, wherever it has been moved to;
/// umount(2) would do the same, MNT_DETACH does not. What cannot be done is said in the log. Waits
/// until they are written: not on a thread that serves them.
/// @param mount_point  where it was mounted, for the log
/// @param device       of the mount, "major:minor"
void write_dirty_pages(const std::string& mount_point, const std::string& device);

}  // namespace lunfs::fs
