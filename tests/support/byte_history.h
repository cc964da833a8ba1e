#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/block_device.h"

namespace lunfs::testing {

/// The judge of writes and reads that run at the same time: knows for every byte which values a
/// read may find.
///
/// A value may be found if its write began before the read ended, and no other write of that byte
/// lies wholly between the end of that write and the beginning of the read (what was acknowledged
/// never turns back to something older). A write that failed may be found or not. Every write has
/// one value for all its bytes.
class ByteHistory {
 public:
  using Time = std::size_t;

  ByteHistory(std::uint64_t size_bytes, std::byte initial) : size_(size_bytes), initial_(initial) {}

  /// @return what end_write() wants.
  std::size_t begin_write(std::uint64_t offset, std::uint64_t length, std::byte value);
  void end_write(std::size_t write, bool acknowledged);

  /// When a read begins: what complaint() wants.
  Time now() noexcept { return clock_++; }
  /// Empty if a read of `found` at `offset`, begun at `began` and ending now, is right; else what
  /// is wrong with it.
  [[nodiscard]] std::string complaint(Time began, std::uint64_t offset, ConstIoSpan found) const;

 private:
  struct Write {
    std::uint64_t begin;
    std::uint64_t end;
    std::byte value;
    Time began;
    Time ended;
    bool acknowledged;
  };

  [[nodiscard]] bool may_be_found(std::uint64_t place, std::byte value, Time read_began) const;
  /// Does an acknowledged write of `place` lie wholly between the two times?
  [[nodiscard]] bool superseded(std::uint64_t place, Time after, Time before) const;

  std::uint64_t size_;
  std::byte initial_;
  Time clock_ = 1;
  std::vector<Write> writes_;
  std::set<std::uint64_t> borders_;  ///< where a write begins or ends: verdicts differ only there
};

}  // namespace lunfs::testing
