#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/range_lock.h"

namespace lunfs::iscsi {

/// What several sessions of this program with one LUN, each on a thread of its own, have to know of
/// each other. Thread-safe.
class SharedLun {
 public:
  /// All writes; see UnalignedDevice.
  RangeLock::Line writes{RangeLock::Line::Threads::kMany};

  /// What is true of some sessions. The session that sets it takes it back, or ends with all.
  class Mark {
   public:
    void set(bool& own) noexcept {
      if (!std::exchange(own, true)) ++count_;
    }
    void clear(bool& own) noexcept {
      if (std::exchange(own, false)) --count_;
    }
    [[nodiscard]] bool any() const noexcept { return count_.load() != 0; }

   private:
    std::atomic<std::size_t> count_ = 0;
  };

  /// It found another LUN in its place, or the ResumeGuard did not agree. The target need not tell
  /// the others, so none of them is used.
  Mark refused;
  /// How often a target has told a session that its LUNs have changed. It need not tell the others:
  /// each looks again at what it has when this has grown.
  std::atomic<std::uint64_t> doubts = 0;
  /// It was lost with a write that its caller was told has failed, and that the target may carry
  /// out until the session has logged in anew: until then the others send no write, or the late one
  /// would undo a newer one.
  Mark late_write;
};

}  // namespace lunfs::iscsi
