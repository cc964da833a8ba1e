#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/alua.h"
#include "iscsi/command_runner.h"

namespace lunfs::iscsi {

/// How the LUN can be reached, as it tells over one path.
struct PathAccess {
  PortPlace place;                ///< where this path leads
  std::vector<PortGroup> groups;  ///< the states of all
  std::optional<AccessState> here;
};

/// Asks for the access states: INQUIRY, and where that says that there are several, VPD 0x83 and
/// REPORT TARGET PORT GROUPS. None: the LUN has no such states. Sends nothing that changes it, and
/// nothing that is refused in a state without I/O. Errors: CommandRunner::ask()'s.
Task<std::optional<PathAccess>> look_at_access(RequestContext& context, CommandRunner& runner);

}  // namespace lunfs::iscsi
