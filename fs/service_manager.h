#pragma once

#include <string>

namespace lunfs::fs {

/// Tells the service manager that started this program how far it is: sd_notify(3), one datagram to
/// the socket that $NOTIFY_SOCKET names (a path, or '@' and an abstract name). Without that
/// variable, or if nobody listens, nothing happens: a mount does not fail for it.
/// @param state  lines of NAME=value: "READY=1\nSTATUS=..."; no secrets
void notify_service_manager(const std::string& state) noexcept;

}  // namespace lunfs::fs
