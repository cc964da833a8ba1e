#include "fs/truncation.h"

#include <algorithm>
#include <iterator>

namespace lunfs::fs {

void WrittenRanges::add(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  std::uint64_t begin = offset;
  std::uint64_t end = offset + length;
  auto next = ends_.upper_bound(begin);
  if (next != ends_.begin() && std::prev(next)->second >= begin) --next;
  while (next != ends_.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = ends_.erase(next);
  }
  ends_.emplace(begin, end);
}

std::vector<WrittenRanges::Range> WrittenRanges::gaps(std::uint64_t end) const {
  std::vector<Range> result;
  std::uint64_t at = 0;
  for (const auto& [written_begin, written_end] : ends_) {
    if (written_begin >= end) break;
    if (written_begin > at) result.push_back({at, written_begin - at});
    at = written_end;
  }
  if (at < end) result.push_back({at, end - at});
  return result;
}

Task<void> Truncation::zero_gaps(RequestContext& context, BlockDevice& device,
                                 Durability& durability, std::uint64_t end) {
  RangeLock::Entry entry(lock, RangeLock::Mode::kExclusive, 0, end);
  co_await entry.wait(context);
  for (const WrittenRanges::Range& gap : written.gaps(end)) {
    co_await device.write_zeroes(context, gap.offset, gap.length, true);
    durability.wrote();
    written.add(gap.offset, gap.length);
  }
}

}  // namespace lunfs::fs
