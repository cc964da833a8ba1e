#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"

namespace lunfs::host {

/// The other end of a mount's control socket. Page: docs/control.md. Waits by itself, never longer
/// than told; for programs without a reactor. One question at a time.
class ControlClient {
 public:
  /// Nullopt if nobody listens on `path`, or somebody else than `owner` does.
  [[nodiscard]] static std::optional<ControlClient> connect(const std::string& path, uid_t owner);

  /// Sends a command. kIo if the daemon has ended.
  void send(std::string_view command);
  /// Waits for the answer to the last command, a JSON object. kTimedOut if it has not come within
  /// `limit`; kIo if the daemon ended; kCorrupt for anything but an object of at most 256 MiB.
  [[nodiscard]] nlohmann::ordered_json receive(std::chrono::milliseconds limit);

 private:
  explicit ControlClient(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  std::string input_;
};

/// A running mount's account of itself, the object of `.lunfs/status.json`: by its control socket,
/// which is found without touching the mount; where there is none (a user without a run directory),
/// by the file itself.
///
/// @param mount_point  as the mount table has it
/// Errors: kNotFound (no lunfs is mounted there), kPermission (another user's), kTimedOut (the
/// daemon does not answer within `limit`), kIo, kCorrupt.
[[nodiscard]] nlohmann::ordered_json ask_mount_for_status(const std::string& mount_point,
                                                          std::chrono::milliseconds limit);

}  // namespace lunfs::host
