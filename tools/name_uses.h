#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/mount_table.h"
#include "tools/table.h"

namespace lunfs::tools {

/// A session on this host, and the name that it is logged in with.
struct NameUse {
  enum class Kind {
    kMount,          ///< of a lunfs mount
    kKernelSession,  ///< of the kernel's initiator
  };
  Kind kind = Kind::kMount;
  std::string where;      ///< the mount point, or "session1"
  std::int64_t pid = 0;   ///< of the mount's daemon; 0 if it does not tell
  std::string initiator;  ///< empty if it cannot be told
  std::string target;
  std::string portal;
  std::string state;  ///< "up", "lost", "LOGGED_IN", ...; of those that do not tell, why
  std::string isid;   ///< 12 hex digits; of the kernel's sessions

  /// Whether the session stands or may stand under `name`: who does not tell counts.
  [[nodiscard]] bool may_use(std::string_view name) const {
    return initiator.empty() || initiator == name;
  }
};

/// Where sessions are looked for; tests give their own.
struct NameUseSources {
  std::vector<std::string> control_sockets;
  std::vector<host::MountEntry> mounts;
  std::string sysfs = "/sys";
  uid_t uid = 0;  ///< whose mounts are looked at; root: everybody's

  static NameUseSources of_this_host();
};

/// All sessions that can be seen from here, mounts first; names in their normal case. Mounts are
/// asked by their control sockets, this user's own without one by their status file. A mount of an
/// image has no session. Who does not answer within two seconds, or all within ten, counts as one
/// that does not tell, unless its source is a path.
///
/// Not seen: mounts in other mount namespaces whose run directory is not shared, and, for others
/// than root, other users' mounts. Blocks; no network.
std::vector<NameUse> find_name_uses(const NameUseSources& sources);

/// Array of {kind, pid, where, initiator, target, portal, state, isid}, what is not known left out.
Json to_json(std::span<const NameUse> uses);

/// Those that may_use(name).
std::vector<NameUse> uses_of(std::string_view name, std::span<const NameUse> uses);

}  // namespace lunfs::tools
