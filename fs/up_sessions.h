#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace lunfs::fs {

/// Which shards of a mount have their session. Thread-safe.
class UpSessions {
 public:
  /// All have.
  explicit UpSessions(std::size_t shards) : away_(shards), up_(shards) {}

  /// The shard's own thread only. False if it was so already.
  bool set(std::size_t shard, bool up) noexcept {
    if (away_[shard].exchange(!up) == !up) return false;
    up ? ++up_ : --up_;
    return true;
  }

  /// Whether the shard takes requests from the kernel: if its session is up, or if none is. So a
  /// session that is away holds up only what was taken before, and listings, interrupts and ends of
  /// waits go on when all are away.
  [[nodiscard]] bool takes_requests(std::size_t shard) const noexcept {
    return !away_[shard].load() || up_.load() == 0;
  }

 private:
  std::vector<std::atomic<bool>> away_;
  std::atomic<std::size_t> up_;
};

}  // namespace lunfs::fs
