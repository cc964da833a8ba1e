#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "host/mount_table.h"

namespace lunfs::fs {

enum class Detach {
  kIfUnused,  ///< fails by kBusy while files are open
  kAtOnce,    ///< out of the tree now; the file system ends with its last user
};

/// Removes the topmost mount at `mount_point`: by umount(2), or through fusermount3 for who may
/// not. kBusy, kNotFound (not a mount), kPermission; kTimedOut if fusermount3 hangs, which is ended
/// then. Blocks; not for the reactor's thread of the mount.
void remove_mount(const std::string& mount_point, Detach how);

/// One mount of the table, held so that no other can take its place between a look at it and its
/// removal. umount(8) finds it busy meanwhile: hold it for moments only. One thread at a time.
class HeldMount {
 public:
  /// kNotFound if its directory does not lead to `entry`: it is gone, or another mount covers it.
  explicit HeldMount(host::MountEntry entry);

  /// Whether its daemon has ended. Asks the daemon if there is one, and waits for its answer: set a
  /// limit. Kernels remember attributes, so that access(2) may succeed on a dead mount; this asks.
  [[nodiscard]] bool dead() const;

  /// Takes it out of the tree at once: exactly this mount as root; an ordinary user has fusermount3
  /// only, which takes the topmost one of the directory, and only if it is one of this user.
  /// Errors as remove_mount().
  void detach() const;

 private:
  host::MountEntry entry_;
  FileDescriptor root_;
};

}  // namespace lunfs::fs
