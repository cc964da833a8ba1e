#include "iscsi/write_journal.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace lunfs::iscsi {

namespace {

/// So that short writes and changes without data are bounded, too: data of this length fills both.
constexpr std::uint64_t kBytesOfAChange = 4096;
constexpr std::size_t kFirstSlots = 256;

}  // namespace

WriteJournal::WriteJournal(std::size_t limit_bytes) : ring_(limit_bytes) {}

std::uint64_t WriteJournal::limit_changes() const noexcept {
  return limit_bytes() / kBytesOfAChange;
}

bool WriteJournal::fits(std::uint64_t bytes, std::uint64_t changes) const noexcept {
  return range_fits(used_, bytes, limit_bytes()) && range_fits(count_, changes, limit_changes());
}

bool WriteJournal::half_full() const noexcept {
  return used_ > limit_bytes() / 2 || count_ > limit_changes() / 2;
}

bool WriteJournal::append_data(std::uint64_t offset, std::span<const ConstIoSpan> parts) {
  std::uint64_t length = 0;
  for (const ConstIoSpan& part : parts) {
    length = checked_add<std::uint64_t>(length, part.size(), "length of a write");
  }
  static_cast<void>(checked_add(offset, length, "end of a write"));
  if (!fits(length)) {
    drop_all();
    return false;
  }
  put({.offset = offset, .length = length, .kind = Kind::kData}, length);
  for (const ConstIoSpan& part : parts) {
    copy_in(end_, part);
    end_ += part.size();
  }
  return true;
}

bool WriteJournal::append(const Change& change) {
  static_cast<void>(checked_add(change.offset, change.length, "end of a change"));
  if (!fits(0)) {
    drop_all();
    return false;
  }
  put(change, 0);
  return true;
}

void WriteJournal::put(const Change& change, std::uint64_t bytes) {
  if (count_ == slots_.size()) grow();
  slots_[mark() % slots_.size()] = {.change = change, .place = end_, .bytes = bytes};
  ++count_;
  used_ += bytes;
}

void WriteJournal::grow() {
  std::vector<Slot> more(std::max(kFirstSlots, slots_.size() * 2));
  for (Number number = first_; number < mark(); ++number) {
    more[number % more.size()] = slot(number);
  }
  slots_ = std::move(more);
}

void WriteJournal::copy_in(std::uint64_t place, ConstIoSpan bytes) noexcept {
  if (bytes.empty()) return;
  const std::span<std::byte> ring = ring_.bytes();
  const std::size_t at = place % ring.size();
  const std::size_t behind = std::min(bytes.size(), ring.size() - at);
  std::memcpy(ring.data() + at, bytes.data(), behind);
  std::memcpy(ring.data(), bytes.data() + behind, bytes.size() - behind);
  touched_ = behind < bytes.size() ? ring.size() : std::max<std::uint64_t>(touched_, at + behind);
}

void WriteJournal::discard_until(Number number) noexcept {
  for (; count_ > 0 && first_ < number; ++first_, --count_) used_ -= slot(first_).bytes;
  if (count_ == 0) end_ = 0;
}

void WriteJournal::drop_all() noexcept {
  discard_until(mark());
  ++first_;
}

void WriteJournal::drop(Number number) noexcept {
  if (number < first_ || number >= mark()) return;
  // Its bytes stay in the ring until those before it have left, and count.
  slots_[number % slots_.size()].change.kind = Kind::kDropped;
}

std::array<ConstIoSpan, 2> WriteJournal::data(Number number) const noexcept {
  const Slot& found = slot(number);
  if (found.change.kind != Kind::kData || found.change.length == 0) return {};
  const ConstIoSpan ring = ring_.bytes();
  const std::size_t at = found.place % ring.size();
  const std::size_t behind = std::min<std::size_t>(found.change.length, ring.size() - at);
  return {ring.subspan(at, behind), ring.first(found.change.length - behind)};
}

void WriteJournal::give_memory_back() noexcept {
  if (count_ != 0) return;
  ring_.give_back();
  touched_ = 0;
}

}  // namespace lunfs::iscsi
