#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/block_device.h"
#include "base/bytes.h"
#include "base/lazy_memory.h"

namespace lunfs::iscsi {

/// Changes of a LUN in the order in which they were acknowledged, with their data, in a bounded
/// piece of memory: what is needed to make them again. The oldest leave first.
///
/// No I/O and no clock. Data lies in a ring that is touched as far as it is used, and used from its
/// beginning whenever nothing is kept; after the first round nothing is allocated. One thread.
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
  /// Its data, in two parts where the ring ends between them; kept until it leaves or something is
  /// appended behind it that does not fit. Parts of whole blocks if all data is.
  [[nodiscard]] std::array<ConstIoSpan, 2> data(Number number) const noexcept;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return used_; }
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return ring_.bytes().size(); }
  /// More than half of what may be kept is.
  [[nodiscard]] bool half_full() const noexcept;
  /// How far the ring was ever used since its memory was given back.
  [[nodiscard]] std::uint64_t touched_bytes() const noexcept { return touched_; }
  /// With nothing kept: the memory of the ring.
  void give_memory_back() noexcept;

 private:
  struct Slot {
    Change change;
    std::uint64_t place = 0;  ///< of its first byte, counted without end
    std::uint64_t bytes = 0;  ///< of data; stays when the change is left out
  };

  [[nodiscard]] const Slot& slot(Number number) const noexcept {
    return slots_[number % slots_.size()];
  }
  [[nodiscard]] std::uint64_t limit_changes() const noexcept;
  void put(const Change& change, std::uint64_t bytes);
  void grow();
  void copy_in(std::uint64_t place, ConstIoSpan bytes) noexcept;

  LazyMemory ring_;
  std::vector<Slot> slots_;  ///< a ring as well; its length is a power of two
  Number first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t used_ = 0;  ///< bytes
  std::uint64_t end_ = 0;   ///< where the next byte goes, counted without end
  std::uint64_t touched_ = 0;
};

}  // namespace lunfs::iscsi
