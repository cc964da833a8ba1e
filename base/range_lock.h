#pragma once

#include <cstdint>

#include "base/reactor.h"
#include "base/task.h"
#include "base/wake_up.h"

namespace lunfs {

/// Orders writes of overlapping byte ranges: a read-modify-write must see every write that came
/// before it and no later write may slip in between its read and its write.
///
/// An entry may go when no earlier overlapping entry conflicts with it, whether that one is running
/// or still waits (first come, first served: nobody starves). Shared entries never conflict with
/// one another. Bounded by its callers: an entry lives in the frame of the request it belongs to.
/// Belongs to the reactor's thread; outlives its entries.
class RangeLock {
 public:
  enum class Mode {
    kShared,     ///< a plain write
    kExclusive,  ///< a read-modify-write
  };

  explicit RangeLock(Reactor& reactor) : reactor_(reactor) {}
  RangeLock(const RangeLock&) = delete;
  RangeLock& operator=(const RangeLock&) = delete;

  /// A place in the line, taken when this is made and left when it ends.
  class Entry {
   public:
    /// [offset, offset + length) in bytes; the sum does not overflow.
    Entry(RangeLock& lock, Mode mode, std::uint64_t offset, std::uint64_t length);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

    [[nodiscard]] bool granted() const noexcept { return blockers_ == 0; }
    /// Ends when granted; kCancelled or kTimedOut by the context otherwise: then end this entry.
    Task<void> wait(RequestContext& context);

   private:
    friend class RangeLock;
    [[nodiscard]] bool conflicts_with(const Entry& other) const noexcept;

    RangeLock& lock_;
    Mode mode_;
    std::uint64_t begin_;
    std::uint64_t end_;
    std::uint32_t blockers_ = 0;  ///< earlier entries that conflict
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    WakeUp wake_up_;
  };

  /// No entry exists, granted or waiting.
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

 private:
  void enter(Entry& entry) noexcept;
  void leave(Entry& entry) noexcept;

  Reactor& reactor_;
  Entry* first_ = nullptr;  ///< the earliest
  Entry* last_ = nullptr;
  std::uint32_t exclusive_ = 0;  ///< exclusive entries, granted or waiting
  std::uint32_t waiting_ = 0;    ///< entries not granted
};

}  // namespace lunfs
