#include "fs/mount_point.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace lunfs::fs {

namespace {

Error unreachable(const std::string& path, int failure) {
  Error error(ErrorKind::kUsage, fmt::format("mount point {}: {}", path, std::strerror(failure)));
  if (failure == ENOTCONN) {
    error.set_cause("a daemon that was mounted there has died");
    error.set_remedy(fmt::format("umount -l {}, then mount again", path));
  } else if (failure == ENOENT) {
    error.set_cause("the directory was not made yet, or its name is misspelt");
    error.set_remedy(fmt::format("make the directory first: mkdir {}", path));
  }
  error.set_cause("a part of the path is no directory, or this user may not enter it");
  error.set_remedy(fmt::format("look at each part of the path: namei -l {}", path));
  return error;
}

}  // namespace

std::string checked_mount_point(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) throw unreachable(path, errno);
  if (!S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::kUsage, fmt::format("mount point {}: not a directory", path))
        .because("a file has that name")
        .advise("name an empty directory");
  }
  std::error_code failure;
  const auto canonical = std::filesystem::canonical(path, failure);
  const std::string result = failure ? path : canonical.string();
  // Root needs no leave: the kernel mounts on what is immutable or stands on a read-only file
  // system.
  if (geteuid() != 0 && access(result.c_str(), W_OK) != 0) {
    throw Error(ErrorKind::kPermission,
                fmt::format("mount point {}: not writable by this user", result))
        .because("FUSE lets a user mount only on a directory of his own")
        .advise("use a directory that is yours, or mount as root");
  }
  return result;
}

}  // namespace lunfs::fs
