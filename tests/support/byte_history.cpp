#include "tests/support/byte_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace lunfs::testing {

namespace {

constexpr ByteHistory::Time kRunning = std::numeric_limits<ByteHistory::Time>::max();

}  // namespace

std::size_t ByteHistory::begin_write(std::uint64_t offset, std::uint64_t length, std::byte value) {
  if (offset > size_ || length > size_ - offset) throw std::out_of_range("ByteHistory");
  borders_.insert({offset, offset + length});
  writes_.push_back({offset, offset + length, value, clock_++, kRunning, false});
  return writes_.size() - 1;
}

void ByteHistory::end_write(std::size_t write, bool acknowledged) {
  writes_.at(write).ended = clock_++;
  writes_.at(write).acknowledged = acknowledged;
}

bool ByteHistory::superseded(std::uint64_t place, Time after, Time before) const {
  return std::any_of(writes_.begin(), writes_.end(), [&](const Write& write) {
    return write.acknowledged && write.begin <= place && place < write.end && write.began > after &&
           write.ended < before;
  });
}

bool ByteHistory::may_be_found(std::uint64_t place, std::byte value, Time read_began) const {
  if (value == initial_ && !superseded(place, 0, read_began)) return true;
  return std::any_of(writes_.begin(), writes_.end(), [&](const Write& write) {
    return write.value == value && write.begin <= place && place < write.end &&
           !superseded(place, write.ended, read_began);
  });
}

std::string ByteHistory::complaint(Time began, std::uint64_t offset, ConstIoSpan found) const {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool as_before = i > 0 && found[i] == found[i - 1] && !borders_.contains(offset + i);
    if (as_before || may_be_found(offset + i, found[i], began)) continue;
    return fmt::format("byte {} is {:#04x}, which no read that began at {} may find", offset + i,
                       std::to_integer<unsigned>(found[i]), began);
  }
  return {};
}

}  // namespace lunfs::testing
