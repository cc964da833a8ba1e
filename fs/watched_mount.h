#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/mount_table.h"

namespace lunfs::fs {

/// Which line of the mount table is the mount of one daemon. Pure: it is shown tables.
///
/// The kernel gives number and device of a mount again once it has gone, so a later mount on the
/// same place can look like ours: only a mount that is also dead may be taken for ours when the
/// daemon has ended, and only one whose connection stands while it lives.
class WatchedMount {
 public:
  explicit WatchedMount(std::string mount_point) : mount_point_(std::move(mount_point)) {}

  /// The table just before the mount: whatever stands there is somebody else's.
  void before(const std::vector<host::MountEntry>& table);

  /// The table just after it. False, and nothing is known, if nothing new of FUSE stands there.
  /// Only the first call that finds the mount counts: no later word makes another mount ours.
  bool after(const std::vector<host::MountEntry>& table);

  /// What may be our mount; nullopt if it has gone, or nobody ever began to mount.
  [[nodiscard]] std::optional<host::MountEntry> find(
      const std::vector<host::MountEntry>& table) const;

 private:
  [[nodiscard]] std::optional<host::MountEntry> newcomer(
      const std::vector<host::MountEntry>& table) const;

  std::string mount_point_;
  bool begun_ = false;
  std::optional<host::MountEntry> other_;  ///< stood there before
  std::optional<host::MountEntry> ours_;
};

}  // namespace lunfs::fs
