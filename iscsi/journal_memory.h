#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/block_device.h"
#include "base/lazy_memory.h"

namespace lunfs::iscsi {

/// Bytes in the order in which they came, of which the oldest leave first, in a bounded piece of
/// memory. A byte has a place, which counts from the first byte ever.
///
/// The memory is cut into chunks, and the one that was left last is used first: no more of them are
/// ever touched than were held at one time. A ring would touch all of them, and memory that is
/// touched for the first time costs more than the copy into it, in a virtual machine up to ten
/// times as much. No I/O, no clock. One thread.
class JournalMemory {
 public:
  using Place = std::uint64_t;
  static constexpr std::size_t kChunkBytes = std::size_t{1} << 20U;

  /// @param limit_bytes  that it must be able to hold
  explicit JournalMemory(std::size_t limit_bytes);

  /// Keeps a copy. The caller sees to it that no more than the limit is held.
  void append(ConstIoSpan bytes) noexcept;
  /// The place of the byte that comes next.
  [[nodiscard]] Place end() const noexcept { return end_; }
  /// `length` bytes from `place` on, which are held; when they are let go of, the next append() may
  /// be in their place. Parts of whole blocks if all that was ever appended is (of up to 4 KiB).
  [[nodiscard]] std::vector<ConstIoSpan> bytes(Place place, std::size_t length) const;
  /// Lets go of all before `place`, which is at most end().
  void discard_until(Place place) noexcept;

  /// Memory whose chunks were in use since it was given back. Huge pages round it up to 2 MiB.
  [[nodiscard]] std::size_t touched_bytes() const noexcept { return touched_chunks_ * kChunkBytes; }
  /// With nothing held: gives back what is touched beyond `kept_bytes`.
  void give_back(std::size_t kept_bytes) noexcept;

 private:
  using Chunk = std::uint32_t;    ///< a piece of the memory
  using Stretch = std::uint64_t;  ///< places as many as a chunk has bytes, which lie in one

  [[nodiscard]] Chunk& chunk_of(Stretch stretch) noexcept {
    return chunks_[stretch % chunks_.size()];
  }
  void take_chunk() noexcept;
  void leave_chunk() noexcept;

  LazyMemory memory_;
  std::vector<Chunk> chunks_;  ///< of the stretches in use, each at its number modulo the length
  std::vector<Chunk> idle_;    ///< the last one is used next; never allocates
  Stretch first_ = 0;          ///< the oldest one in use
  Stretch next_ = 0;           ///< the first that has no chunk yet
  Place end_ = 0;
  std::size_t touched_chunks_ = 0;
};

}  // namespace lunfs::iscsi
