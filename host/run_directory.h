#pragma once

#include <string>

namespace lunfs::host {

/// Where sockets and locks of running mounts stand: /run/lunfs for root, $XDG_RUNTIME_DIR/lunfs for
/// others; made (0700) if it is not there. Empty where there is no such place (a user without
/// XDG_RUNTIME_DIR).
std::string run_directory();

}  // namespace lunfs::host
