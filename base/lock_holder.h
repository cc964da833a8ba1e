#pragma once

#include <sys/types.h>

#include <optional>

namespace lunfs {

/// The process that holds an exclusive flock(2) on the file behind `fd`, as /proc/locks tells;
/// nullopt if there is none, or this process may not see it (another pid namespace, no /proc).
std::optional<pid_t> flock_holder(int fd);

}  // namespace lunfs
