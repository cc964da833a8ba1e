#include "iscsi/write_journal.h"

#include <algorithm>

#include "base/checked.h"

namespace lunfs::iscsi {

namespace {

/// So that short writes and changes without data are bounded, too: data of this length fills both.
constexpr std::uint64_t kBytesOfAChange = 4096;
constexpr std::size_t kFirstSlots = 256;

}  // namespace

WriteJournal::WriteJournal(std::size_t limit_bytes)
    : limit_bytes_(limit_bytes), memory_(limit_bytes) {}

std::uint64_t WriteJournal::limit_changes() const noexcept {
  return limit_bytes() / kBytesOfAChange;
}

bool WriteJournal::fits(std::uint64_t bytes, std::uint64_t changes) const noexcept {
  return range_fits(used_, bytes, limit_bytes()) && range_fits(count_, changes, limit_changes());
}

bool WriteJournal::quarter_full() const noexcept {
  return used_ > limit_bytes() / 4 || count_ > limit_changes() / 4;
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
  for (const ConstIoSpan& part : parts) memory_.append(part);
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
  slots_[mark() % slots_.size()] = {.change = change, .place = memory_.end(), .bytes = bytes};
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

void WriteJournal::discard_until(Number number) noexcept {
  for (; count_ > 0 && first_ < number; ++first_, --count_) used_ -= slot(first_).bytes;
  memory_.discard_until(count_ == 0 ? memory_.end() : slot(first_).place);
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

std::vector<ConstIoSpan> WriteJournal::data(Number number) const {
  const Slot& found = slot(number);
  if (found.change.kind != Kind::kData) return {};
  return memory_.bytes(found.place, found.change.length);
}

void WriteJournal::give_memory_back(std::size_t kept_bytes) noexcept {
  if (count_ == 0) memory_.give_back(kept_bytes);
}

}  // namespace lunfs::iscsi
