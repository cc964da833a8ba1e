#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/file_descriptor.h"

namespace lunfs::fs {

/// argv[0] of the process that watches over a mount; argv[1] is the mount point.
inline constexpr std::string_view kWatcherName = "lunfs-watcher";

/// A daemon's line to its watcher: a small process of this program that holds the other end of a
/// socket and nothing else. It takes the mount out of the tree when the daemon asks, which by then
/// has given up the right to, and when the daemon has ended in any way and left it there; then it
/// also removes what the daemon has left in the run directory. Ends by itself after that. One
/// thread at a time.
class Watcher {
 public:
  /// Starts the process. Before there are threads, secrets or descriptors worth hiding.
  /// @param mount_point  true path; the watcher never looks anywhere else
  /// kBusy and the like if the system gives no process.
  explicit Watcher(const std::string& mount_point);

  /// Just before the mount and just after it, so that the watcher knows which one it is. kInternal
  /// if there is no such mount afterwards; kUnreachable if the watcher has been killed.
  void before_mount() { ask(Order::kBefore); }
  void after_mount();

  /// Takes the mount, which lives and is known to be there, out of the tree at once; files that are
  /// open stay usable. kInternal with what failed, kUnreachable, kTimedOut. Blocks for some 20 s at
  /// most: not for the reactor's thread, as the mount helper may look at the mount.
  void remove() { ask(Order::kRemove); }

  /// What the daemon writes to the socket: one byte.
  enum class Order : char { kBefore = 'b', kAfter = 'a', kRemove = 'r' };

 private:
  void ask(Order order);

  std::string mount_point_;
  FileDescriptor socket_;
};

/// The watcher's own program: what main() runs where argv[0] is kWatcherName. Descriptor 3 is its
/// end of the socket. Ends with the daemon.
/// @return the exit status, 0 if nothing was left to remove or it was removed
int run_watcher(const std::string& mount_point);

}  // namespace lunfs::fs
