#pragma once

#include <string>

namespace lunfs::fs {

enum class Detach {
  kIfUnused,  ///< fails by kBusy while files are open
  kAtOnce,    ///< out of the tree now; the file system ends with its last user
};

/// Removes the mount at `mount_point`: by umount(2), or through fusermount3 for an ordinary user.
/// kBusy, kNotFound (not a mount), kPermission. Blocks; not for the reactor's thread of the mount.
void remove_mount(const std::string& mount_point, Detach how);

/// `lunfs -u`: unmounts, waits until the daemon has flushed and logged out.
/// Errors: those of remove_mount; kIo with what was lost; kTimedOut if the daemon does not end.
void unmount_and_wait(const std::string& mount_point);

}  // namespace lunfs::fs
