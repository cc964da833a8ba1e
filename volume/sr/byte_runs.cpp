#include "volume/sr/byte_runs.h"

#include <algorithm>

#include "volume/vhd/sector_runs.h"

namespace lunfs::sr {

namespace {

constexpr std::uint64_t kMostRuns = 1U << 20U;
constexpr std::uint64_t kBitsPerByte = 8;

/// `run` does not begin before the last one of `runs`.
void append(ByteRuns& runs, ByteRun run, std::uint64_t size_bytes) {
  run.end = std::min(run.end, size_bytes);
  if (run.begin >= run.end) return;
  if (!runs.empty() &&
      (run.begin <= runs.back().end || run.begin - runs.back().end < smallest_gap(size_bytes))) {
    runs.back().end = std::max(runs.back().end, run.end);
  } else {
    runs.push_back(run);
  }
}

}  // namespace

std::uint64_t smallest_gap(std::uint64_t size_bytes) noexcept { return size_bytes / kMostRuns; }

ByteRuns runs_of(const vhd::BlockSet& blocks, const vhd::Layout& layout) {
  ByteRuns runs;
  const std::uint64_t count =
      std::min<std::uint64_t>(layout.block_count, blocks.size() * kBitsPerByte);
  for (std::uint64_t block = 0; block < count; ++block) {
    if (block % kBitsPerByte == 0 && blocks[block / kBitsPerByte] == std::byte{0}) {
      block += kBitsPerByte - 1;
      continue;
    }
    if (!vhd::test_bit(blocks, block)) continue;
    const std::uint64_t begin = block * layout.block_bytes;
    append(runs, {begin, begin + layout.block_bytes}, layout.size_bytes);
  }
  return runs;
}

ByteRuns unite(const ByteRuns& one, const ByteRuns& other, std::uint64_t size_bytes) {
  ByteRuns runs;
  auto a = one.begin();
  auto b = other.begin();
  while (a != one.end() || b != other.end()) {
    const bool from_a = b == other.end() || (a != one.end() && a->begin <= b->begin);
    append(runs, from_a ? *a++ : *b++, size_bytes);
  }
  return runs;
}

std::uint64_t total_bytes(const ByteRuns& runs) noexcept {
  std::uint64_t sum = 0;
  for (const ByteRun& run : runs) sum += run.end - run.begin;
  return sum;
}

}  // namespace lunfs::sr
