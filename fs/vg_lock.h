#pragma once

#include <string>
#include <vector>

#include "base/file_descriptor.h"

namespace lunfs::fs {

/// Says on this host that a VG is mounted read-write: flock on /run/lock/lunfs-<key>, for users
/// where they may not write there on $XDG_RUNTIME_DIR/lunfs/lunfs-<key>.lock. It keeps out a second
/// read-write mount of lunfs on this host, another user's too, nothing else; other hosts do not see
/// it. Held until the object ends. As any user can lock the file, any user can keep others from
/// mounting read-write; the error names the process.
class VgLock {
 public:
  /// @param key  VG uuid and LUN identity; any text, hashed into the file's name
  /// kBusy if it is held (names the holder's pid and, where known, mount point), kPermission if the
  /// file is none (a link, a pipe). Without a place for the lock there is none, and the log says
  /// so.
  VgLock(const std::string& key, const std::string& mount_point);

 private:
  std::vector<FileDescriptor> files_;
};

}  // namespace lunfs::fs
