#pragma once

#include <string>

#include "base/file_descriptor.h"

namespace lunfs::fs {

/// Says on this host that a VG is mounted read-write: flock on /run/lock/lunfs-<key> (root) or
/// $XDG_RUNTIME_DIR/lunfs/lunfs-<key>.lock. It keeps out a second read-write mount of lunfs on this
/// host, nothing else; other hosts do not see it. Held until the object ends.
class VgLock {
 public:
  /// @param key  VG uuid and LUN identity; any text, hashed into the file's name
  /// kBusy if it is held (names the holder's pid and mount point), kPermission if the file cannot
  /// be trusted (a link, another owner).
  VgLock(const std::string& key, const std::string& mount_point);

 private:
  FileDescriptor file_;
};

}  // namespace lunfs::fs
