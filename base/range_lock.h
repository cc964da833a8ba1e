#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

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

  class Entry;

  /// The line that entries stand in. Outlives them.
  class Line {
   public:
    enum class Threads {
      kOne,   ///< all entries belong to one reactor's thread; costs no locking
      kMany,  ///< each entry belongs to its reactor's thread; the line to all of them
    };

    explicit Line(Threads threads) noexcept : shared_(threads == Threads::kMany) {}
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    /// No entry exists, granted or waiting.
    [[nodiscard]] bool empty() const noexcept;

   private:
    friend class Entry;
    class Guard;

    void enter(Entry& entry);
    void leave(Entry& entry) noexcept;
    void let_go(Entry& entry, const Reactor& by) noexcept;

    const bool shared_;
    mutable std::mutex mutex_;  ///< held for all of the following if shared_
    Entry* first_ = nullptr;    ///< the earliest
    Entry* last_ = nullptr;
    std::uint32_t exclusive_ = 0;  ///< exclusive entries, granted or waiting
    std::uint32_t waiting_ = 0;    ///< entries not granted
  };

  explicit RangeLock(Reactor& reactor) : reactor_(reactor) {}
  RangeLock(const RangeLock&) = delete;
  RangeLock& operator=(const RangeLock&) = delete;

  /// A place in the line, taken when this is made and left when it ends.
  class Entry {
   public:
    /// [offset, offset + length) in bytes; the sum does not overflow.
    Entry(RangeLock& lock, Mode mode, std::uint64_t offset, std::uint64_t length)
        : Entry(lock.line_, lock.reactor_, mode, offset, length) {}
    /// @param reactor  of the thread that makes, awaits and ends this
    Entry(Line& line, Reactor& reactor, Mode mode, std::uint64_t offset, std::uint64_t length);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

    [[nodiscard]] bool granted() const noexcept {
      return blockers_.load(std::memory_order_acquire) == 0;
    }
    /// Ends when granted; kCancelled or kTimedOut by the context otherwise: then end this entry.
    Task<void> wait(RequestContext& context);

   private:
    friend class Line;
    /// What another thread's wake-up of this entry holds on to; the entry's thread only.
    struct Address {
      Entry* entry;
    };

    [[nodiscard]] bool conflicts_with(const Entry& other) const noexcept;
    /// Under the line's lock: nobody else counts at the same time.
    void count_blockers(std::uint32_t blockers) noexcept {
      blockers_.store(blockers, std::memory_order_release);
    }

    Line& line_;
    Reactor& reactor_;
    Mode mode_;
    std::uint64_t begin_;
    std::uint64_t end_;
    std::atomic<std::uint32_t> blockers_{0};  ///< earlier entries that conflict
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    std::shared_ptr<Address> address_;  ///< of one that waits in a line of many threads
    WakeUp wake_up_;
  };

  /// No entry exists, granted or waiting.
  [[nodiscard]] bool empty() const noexcept { return line_.empty(); }

 private:
  Reactor& reactor_;
  Line line_{Line::Threads::kOne};
};

}  // namespace lunfs
