#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/block_device.h"
#include "base/error.h"
#include "base/request_context.h"
#include "base/task.h"

namespace lunfs::iscsi {

/// What the sessions have done so far.
struct SessionStats {
  std::uint64_t commands = 0;       ///< SCSI commands sent, retries included
  std::uint64_t retries = 0;        ///< commands sent again after UNIT ATTENTION, BUSY, ...
  std::uint64_t bytes_read = 0;     ///< Data-In of commands that succeeded
  std::uint64_t bytes_written = 0;  ///< Data-Out of commands that succeeded
};

/// Of a WriteJournal, and what was made again from it.
struct JournalStats {
  std::uint64_t limit_bytes = 0;  ///< 0: there is none, or no volatile cache
  std::uint64_t bytes = 0;
  std::uint64_t changes = 0;
  bool complete = true;       ///< a lost session costs nothing
  std::uint64_t replays = 0;  ///< ever, as what follows
  std::uint64_t changes_replayed = 0;
  std::uint64_t bytes_replayed = 0;

  /// Adds those of another session.
  JournalStats& operator+=(const JournalStats& other) noexcept {
    limit_bytes += other.limit_bytes;
    bytes += other.bytes;
    changes += other.changes;
    complete = complete && other.complete;
    replays += other.replays;
    changes_replayed += other.changes_replayed;
    bytes_replayed += other.bytes_replayed;
    return *this;
  }
};

/// Who talks to whom in a session.
struct SessionNames {
  std::string initiator;
  std::string target;
  std::uint16_t lun = 0;
  std::string portal;     ///< host:port, numeric
  std::string_view chap;  ///< "none", "one-way", "mutual"
};

/// Whether the session is there.
struct SessionState {
  enum class Kind {
    kUp,
    kLost,     ///< being restored, where something restores it
    kRefused,  ///< another LUN is there now, until that changes; or the ResumeGuard did not agree
    kClosed,
  };
  Kind kind = Kind::kUp;
  std::uint64_t outages = 0;         ///< ever
  std::uint64_t failovers = 0;       ///< how often, ever, another path was taken
  std::chrono::seconds lost_for{0};  ///< if not up
  std::string reason{};              ///< if not up
};

/// As status.json shows it: up, lost, refused, closed.
[[nodiscard]] constexpr std::string_view name_of(SessionState::Kind kind) noexcept {
  switch (kind) {
    case SessionState::Kind::kUp:
      return "up";
    case SessionState::Kind::kLost:
      return "lost";
    case SessionState::Kind::kRefused:
      return "refused";
    case SessionState::Kind::kClosed:
      break;
  }
  return "closed";
}

/// Asked before anything is sent over a new session. `device` goes over that session and lives for
/// the call; nothing else uses it yet. Nullopt: go on. An Error: all I/O fails with it from then
/// on. Throws when it cannot be told now: another session is tried then.
using ResumeGuard =
    std::function<Task<std::optional<Error>>(RequestContext& context, BlockDevice& device)>;

}  // namespace lunfs::iscsi
