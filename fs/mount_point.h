#pragma once

#include <string>

namespace lunfs::fs {

/// Looks whether the caller may mount on the directory.
/// @return its true path, by which the mount table knows it and by which the mount is removed
/// kUsage if it is no directory or its mount is dead, kPermission if it is not writable.
std::string checked_mount_point(const std::string& path);

}  // namespace lunfs::fs
