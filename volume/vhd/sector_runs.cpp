#include "volume/vhd/sector_runs.h"

#include <algorithm>
#include <bit>

#include "volume/vhd/footer.h"

namespace lunfs::vhd {

namespace {

constexpr std::uint64_t kBitsPerByte = 8;
constexpr std::uint64_t kBitsPerWord = 64;

/// The first bit from `index` on, below `end`, that is not `value`; else `end`. Most bitmaps have
/// few changes, so whole words are looked at where one fits.
std::uint64_t end_of_run(ConstByteSpan bits, std::uint64_t index, std::uint64_t end, bool value) {
  while (index < end) {
    const std::uint64_t byte = index / kBitsPerByte;
    if (index % kBitsPerByte != 0 || bits.size() - byte < sizeof(std::uint64_t)) {
      if (test_bit(bits, index) != value) return index;
      ++index;
      continue;
    }
    const auto word = load_be<std::uint64_t>(bits, byte);
    const auto same = static_cast<std::uint64_t>(std::countl_zero(value ? ~word : word));
    index += same;
    if (same < kBitsPerWord) break;
  }
  return std::min(index, end);
}

}  // namespace

std::vector<SectorRun> sector_runs(ConstByteSpan bitmap, std::uint64_t offset,
                                   std::uint64_t length) {
  if (length == 0) return {};
  const std::uint64_t end = checked_add(offset, length, "end of a range in a block");
  const std::uint64_t last_sector = (end - 1) / kSectorBytes;
  const ConstByteSpan bits = sub_span(bitmap, 0, last_sector / kBitsPerByte + 1);
  std::vector<SectorRun> runs;
  while (offset < end) {
    const std::uint64_t sector = offset / kSectorBytes;
    const bool stored = test_bit(bits, sector);
    const std::uint64_t until =
        std::min(end, kSectorBytes * end_of_run(bits, sector, last_sector + 1, stored));
    runs.push_back({offset, until - offset, stored});
    offset = until;
  }
  return runs;
}

}  // namespace lunfs::vhd
