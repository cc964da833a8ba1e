#pragma once

#include <string>
#include <vector>

#include "base/file_descriptor.h"

namespace lunfs::fs {

/// Says on this host that a VG is mounted read-write: flock on /run/lock/lunfs-<key>, which all
/// users see where they may write there, and on lunfs-<key>.lock in the user's (or root's) own run
/// directory, which no other user can fill or take away. It keeps out a second read-write mount of
/// lunfs on this host, another user's too, nothing else; other hosts do not see it. Held until the
/// object ends. As any user can lock the first file, any user can keep others from mounting
/// read-write; the error names the process.
class VgLock {
 public:
  /// @param key  VG uuid and LUN identity; any text, hashed into the file's name
  /// kBusy if it is held (names the holder's pid and, where known, mount point), kPermission if the
  /// file is none (a link, a pipe) or has a second name. Without a place for the lock there is
  /// none, and the log says so.
  VgLock(const std::string& key, const std::string& mount_point);

 private:
  std::vector<FileDescriptor> files_;
};

}  // namespace lunfs::fs
