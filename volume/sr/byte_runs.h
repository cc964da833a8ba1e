#pragma once

#include <cstdint>
#include <vector>

#include "volume/vhd/image_head.h"

/// Which bytes of a disk are stored, for adding up a chain's images, whose blocks may differ in
/// size. Pure.
namespace lunfs::sr {

/// Bytes [begin, end).
struct ByteRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const ByteRun&) const = default;
};

/// Runs in order that do not touch.
///
/// A hostile image has millions of tiny blocks: gaps below a millionth of the disk (smallest_gap())
/// count as stored, so that a disk has a million runs at most. Blocks of 2 MiB leave no such gaps.
using ByteRuns = std::vector<ByteRun>;

[[nodiscard]] std::uint64_t smallest_gap(std::uint64_t size_bytes) noexcept;

/// The blocks that an image holds, as far as its disk of `layout.size_bytes` reaches.
[[nodiscard]] ByteRuns runs_of(const vhd::BlockSet& blocks, const vhd::Layout& layout);

/// What either stores, as far as a disk of `size_bytes` reaches.
[[nodiscard]] ByteRuns unite(const ByteRuns& one, const ByteRuns& other, std::uint64_t size_bytes);

[[nodiscard]] std::uint64_t total_bytes(const ByteRuns& runs) noexcept;

}  // namespace lunfs::sr
