#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"

/// The client's side of a mount's control socket. Page: docs/control.md.
namespace lunfs::host {

/// Connects to the socket at `path`; every later send or receive on it takes at most `limit`.
/// Invalid, with errno, if nobody listens there.
FileDescriptor connect_to_daemon(const std::string& path, std::chrono::seconds limit);

/// Sends one command and waits for its answer, a line of JSON without its end, for at most `limit`.
/// nullopt, with errno, if nobody listens there, or if the answer did not come or is larger than
/// 64 MiB. The peer is whoever owns the socket: what it says is to be checked.
std::optional<std::string> ask_daemon(const std::string& path, std::string_view command,
                                      std::chrono::seconds limit);

/// The control sockets of this user's mounts; for root, who may ask all, those of every user whose
/// run directory is below /run/user. Sorted; at most 1024. Some may be left from daemons that were
/// killed.
std::vector<std::string> control_sockets();

/// Removes what a daemon of this user that was killed has left in the run directory.
void remove_control_sockets_of(pid_t pid) noexcept;

}  // namespace lunfs::host
