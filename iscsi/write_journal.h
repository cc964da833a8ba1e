#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/block_device.h"
#include "base/bytes.h"
#include "iscsi/journal_memory.h"

namespace lunfs::iscsi {

/// Changes of a LUN in the order in which they were acknowledged, with their data, in a bounded
/// piece of memory: what is needed to make them again. The oldest leave first.
///
/// No I/O and no clock. After the first round nothing is allocated but by data(). One thread.
class WriteJournal {
 public:
  enum class Kind : std::uint8_t {
    kData,
    kZeroes,
    kHole,   ///< zeros whose blocks may be given back
    kUnmap,  ///< the content is not needed any more
    kDropped,
  };
  struct Change {
    std::uint64_t offset = 0;  ///< bytes, as the length
    std::uint64_t length = 0;
    Kind kind = Kind::kDropped;
  };
  /// Numbers changes from the first one ever; the next change has the number of mark().
  using Number = std::uint64_t;

  /// @param limit_bytes  of data; 0: nothing is ever kept
  explicit WriteJournal(std::size_t limit_bytes);

  /// Room for `changes` with `bytes` of data together.
  [[nodiscard]] bool fits(std::uint64_t bytes, std::uint64_t changes = 1) const noexcept;

  /// Keeps a write of `parts`, one behind the other from `offset` on. Where it does not fit
  /// everything is dropped, this write too: what is kept later is complete from there on.
  /// @return false if so
  bool append_data(std::uint64_t offset, std::span<const ConstIoSpan> parts);
  /// The same for a change without data of its own.
  bool append(const Change& change);

  /// Drops all, and the change that would be next.
  void drop_all() noexcept;
  /// Forgets what has a smaller number; nothing if that is done already.
  void discard_until(Number number) noexcept;
  /// Leaves out one that is kept.
  void drop(Number number) noexcept;

  [[nodiscard]] Number first() const noexcept { return first_; }
  [[nodiscard]] Number mark() const noexcept { return first_ + count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Of a number from first() to mark(), which is left out.
  [[nodiscard]] const Change& at(Number number) const noexcept { return slot(number).change; }
  /// Its data, which lies in several places of the memory; kept until it leaves or something is
  /// appended behind it that does not fit. Parts of whole blocks if all data is.
  [[nodiscard]] std::vector<ConstIoSpan> data(Number number) const;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return used_; }
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }
  /// More than a quarter of what may be kept is.
  [[nodiscard]] bool quarter_full() const noexcept;
  /// Memory that the data has ever taken since it was given back, at most.
  [[nodiscard]] std::uint64_t touched_bytes() const noexcept { return memory_.touched_bytes(); }
  /// With nothing kept: the memory that was touched, but for the first `kept_bytes`.
  void give_memory_back(std::size_t kept_bytes) noexcept;

 private:
  struct Slot {
    Change change;
    JournalMemory::Place place = 0;
    std::uint64_t bytes = 0;  ///< of data; stays when the change is left out
  };

  [[nodiscard]] const Slot& slot(Number number) const noexcept {
    return slots_[number % slots_.size()];
  }
  [[nodiscard]] std::uint64_t limit_changes() const noexcept;
  void put(const Change& change, std::uint64_t bytes);
  void grow();

  std::uint64_t limit_bytes_;
  JournalMemory memory_;
  std::vector<Slot> slots_;  ///< a ring as well; its length is a power of two
  Number first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t used_ = 0;  ///< bytes
};

}  // namespace lunfs::iscsi
