#pragma once

#include <string>

namespace lunfs::fs {

/// `lunfs -u`: unmounts, waits until the daemon has flushed and logged out.
/// Errors: those of remove_mount; kIo with what was lost; kTimedOut if the daemon does not end.
void unmount_and_wait(const std::string& mount_point);

}  // namespace lunfs::fs
