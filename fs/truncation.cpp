#include "fs/truncation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

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

void Truncation::reached(std::uint64_t end) noexcept {
  const std::lock_guard lock(mutex_);
  end_ = std::max(end_, end);
}

void Truncation::note(std::uint64_t offset, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  written_.add(offset, length);
}

std::size_t Truncation::runs() const {
  const std::lock_guard lock(mutex_);
  return written_.runs();
}

std::uint64_t Truncation::passed() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::uint64_t Truncation::forgotten_from() const {
  const std::lock_guard lock(mutex_);
  return forgotten_from_;
}

Truncation::Ranges Truncation::gaps(std::uint64_t end) const {
  const std::lock_guard lock(mutex_);
  return written_.gaps(end);
}

Truncation::Ranges Truncation::smallest_gaps(std::uint64_t end) const {
  const std::lock_guard lock(mutex_);
  return written_.smallest_gaps(end, batch());
}

Task<void> Truncation::make_room(RequestContext& context, Writer writer) {
  while (runs() >= most_runs_) {
    // What is passed meanwhile lies outside of the lock, and waits for the next round.
    const std::uint64_t end = passed();
    RangeLock::Entry entry(line_, writer.reactor, RangeLock::Mode::kExclusive, 0, end);
    co_await entry.wait(context);
    // Another change may have made room in the meantime.
    if (runs() < most_runs_) break;
    Ranges gaps = smallest_gaps(end);
    if (gaps.empty()) {
      if (passed() == end) forget_gaps();
    } else {
      co_await zero(context, writer, std::move(gaps));
    }
  }
}

Task<void> Truncation::zero_gaps(RequestContext& context, Writer writer, std::uint64_t end) {
  RangeLock::Entry entry(line_, writer.reactor, RangeLock::Mode::kExclusive, 0, end);
  co_await entry.wait(context);
  // A change that is noted later than this takes its place in the line later, too, and waits.
  Ranges skipped = gaps(end);
  co_await zero(context, writer, std::move(skipped));
  const std::uint64_t forgotten = forgotten_from();
  if (end > forgotten) {
    throw Error(ErrorKind::kIo,
                fmt::format("old bytes may be left from {} to {}, where zeros were skipped",
                            forgotten, end))
        .because("others wrote to the disk in more pieces than are remembered")
        .advise("copy again while nobody else writes to the disk");
  }
}

Task<void> Truncation::zero(RequestContext& context, Writer writer, Ranges gaps) {
  for (const WrittenRanges::Range& gap : gaps) {
    co_await writer.device.write_zeroes(context, gap.offset, gap.length, true);
    writer.durability.wrote();
    note(gap.offset, gap.length);
  }
}

void Truncation::forget_gaps() {
  constexpr std::uint64_t kNowhere = std::numeric_limits<std::uint64_t>::max();
  const std::lock_guard lock(mutex_);
  if (forgotten_from_ == kNowhere) {
    log::warn("a disk that is open with O_TRUNC is written by others in more than {} pieces",
              most_runs_);
  }
  for (const auto& gap : written_.smallest_gaps(kNowhere, batch())) {
    forgotten_from_ = std::min(forgotten_from_, gap.offset);
    written_.add(gap.offset, gap.length);
  }
}

std::shared_ptr<Truncation> TruncationPlace::find() const {
  if (!maybe_.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Truncation> found = truncation_.lock();
  if (!found) maybe_.store(false, std::memory_order_release);
  return found;
}

std::shared_ptr<Truncation> TruncationPlace::take() {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Truncation> found = truncation_.lock();
  if (!found) {
    found = std::make_shared<Truncation>();
    truncation_ = found;
    maybe_.store(true, std::memory_order_release);
  }
  return found;
}

}  // namespace lunfs::fs
