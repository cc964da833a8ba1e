#include "fs/truncation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/log.h"

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

std::vector<WrittenRanges::Range> WrittenRanges::smallest_gaps(std::uint64_t end,
                                                               std::size_t most) const {
  std::vector<Range> result;
  for (auto run = ends_.begin(); run != ends_.end(); ++run) {
    const auto next = std::next(run);
    if (next == ends_.end() || next->first > end) break;
    result.push_back({run->second, next->first - run->second});
  }
  if (result.size() > most) {
    const auto middle = result.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(result.begin(), middle, result.end(),
                     [](const Range& a, const Range& b) { return a.length < b.length; });
    result.erase(middle, result.end());
  }
  return result;
}

void Truncation::reached(std::uint64_t end) noexcept { end_ = std::max(end_, end); }

Task<void> Truncation::make_room(RequestContext& context, BlockDevice& device,
                                 Durability& durability) {
  while (written_.runs() >= most_runs_) {
    RangeLock::Entry entry(lock_, RangeLock::Mode::kExclusive, 0, end_);
    co_await entry.wait(context);
    // Another change may have made room in the meantime.
    if (written_.runs() < most_runs_) break;
    const std::vector<WrittenRanges::Range> gaps = written_.smallest_gaps(end_, batch());
    if (gaps.empty()) {
      forget_gaps();
    } else {
      co_await zero(context, device, durability, gaps);
    }
  }
}

Task<void> Truncation::zero_gaps(RequestContext& context, BlockDevice& device,
                                 Durability& durability, std::uint64_t end) {
  RangeLock::Entry entry(lock_, RangeLock::Mode::kExclusive, 0, end);
  co_await entry.wait(context);
  const std::vector<WrittenRanges::Range> gaps = written_.gaps(end);
  co_await zero(context, device, durability, gaps);
  if (end > forgotten_from_) {
    throw Error(ErrorKind::kIo,
                fmt::format("old bytes may be left from {} to {}, where zeros were skipped",
                            forgotten_from_, end))
        .because("others wrote to the disk in more pieces than are remembered")
        .advise("copy again while nobody else writes to the disk");
  }
}

Task<void> Truncation::zero(RequestContext& context, BlockDevice& device, Durability& durability,
                            const std::vector<WrittenRanges::Range>& gaps) {
  for (const WrittenRanges::Range& gap : gaps) {
    co_await device.write_zeroes(context, gap.offset, gap.length, true);
    durability.wrote();
    written_.add(gap.offset, gap.length);
  }
}

void Truncation::forget_gaps() {
  if (forgotten_from_ == std::numeric_limits<std::uint64_t>::max()) {
    log::warn("a disk that is open with O_TRUNC is written by others in more than {} pieces",
              most_runs_);
  }
  for (const auto& gap :
       written_.smallest_gaps(std::numeric_limits<std::uint64_t>::max(), batch())) {
    forgotten_from_ = std::min(forgotten_from_, gap.offset);
    written_.add(gap.offset, gap.length);
  }
}

}  // namespace lunfs::fs
