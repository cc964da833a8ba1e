#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

/// The sector bitmap of a block. Pure; no I/O. Source: docs/formats/vhd.md, sector bitmap.
namespace lunfs::vhd {

/// A run of bytes of one block that is stored in this image, or is not.
struct SectorRun {
  std::uint64_t offset = 0;  ///< bytes in the block
  std::uint64_t length = 0;
  bool stored = false;

  bool operator==(const SectorRun&) const = default;
};

/// Cuts [offset, offset + length) of a block at the places where the bitmap changes; neighbours
/// differ; none for an empty range. The range lies within the block; kCorrupt if the bitmap is too
/// short for it.
[[nodiscard]] std::vector<SectorRun> sector_runs(ConstByteSpan bitmap, std::uint64_t offset,
                                                 std::uint64_t length);

/// Bit `index` of a bitmap, the most significant of a byte first.
[[nodiscard]] inline bool test_bit(ConstByteSpan bits, std::uint64_t index) noexcept {
  return (std::to_integer<unsigned>(bits[index / 8]) & (0x80U >> (index % 8))) != 0;
}

}  // namespace lunfs::vhd
