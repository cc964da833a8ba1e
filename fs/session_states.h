#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "iscsi/session_facts.h"

namespace lunfs::fs {

/// How the sessions of a mount's shards stand, as far as it concerns the other shards. Thread-safe.
class SessionStates {
 public:
  enum class State : std::uint8_t {
    kUp,
    kAway,     ///< lost and not yet restored
    kRefused,  ///< another LUN stands there, or its VG was changed
  };
  static State of(iscsi::SessionState::Kind kind) noexcept;

  /// All up.
  explicit SessionStates(std::size_t shards) : states_(shards) {}

  /// The shard's own thread only. False if it was in that state already.
  bool set(std::size_t shard, State state) noexcept;

  /// Whether the shard takes requests from the kernel: if its session is up, or if none is. So a
  /// session that is away holds up only what was taken before, and listings, interrupts and ends of
  /// waits go on when all are away.
  [[nodiscard]] bool takes_requests(std::size_t shard) const noexcept;

  /// kIo if a session was refused: what the others reach may be another LUN, too, and a target does
  /// not tell each of them.
  void check() const;

 private:
  std::vector<std::atomic<State>> states_;
  std::atomic<std::size_t> up_{states_.size()};
  std::atomic<std::size_t> refused_{0};
};

}  // namespace lunfs::fs
