#include "fs/dirty_pages.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/file_descriptor.h"
#include "base/log.h"
#include "host/mount_table.h"

namespace lunfs::fs {

namespace {

/// Where a file system is mounted now, as mounts are moved and directories above them renamed.
std::optional<std::string> place_of(const std::string& device) {
  std::optional<std::string> place;
  for (const host::MountEntry& entry : host::all_mounts()) {
    if (entry.device == device) place = entry.mount_point;
  }
  return place;
}

}  // namespace

void write_dirty_pages(const std::string& mount_point, const std::string& device) {
  const auto place = place_of(device);
  if (!place) {
    log::warn("{}: pages of mapped files may not be written: out of the tree already (umount -l)",
              mount_point);
    return;
  }
  const FileDescriptor root(open(place->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  const bool found = root.valid() && fstat(root.get(), &status) == 0;
  const bool ours =
      found && fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev)) == device;
  if (ours && syncfs(root.get()) == 0) return;
  log::warn("{}: pages of mapped files may not be written: {}", mount_point,
            found && !ours ? "another mount stands there" : std::strerror(errno));
}

}  // namespace lunfs::fs
