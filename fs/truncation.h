#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "fs/durability.h"

namespace lunfs::fs {

/// Which bytes of a file were written, as ranges. Pure.
class WrittenRanges {
 public:
  struct Range {
    std::uint64_t offset;
    std::uint64_t length;
    bool operator==(const Range&) const = default;
  };

  /// offset + length does not overflow; ranges may overlap and come in any order.
  void add(std::uint64_t offset, std::uint64_t length);
  /// The runs of [0, end) that were not written, in order.
  [[nodiscard]] std::vector<Range> gaps(std::uint64_t end) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  ///< begin → end; apart from one another
};

/// A disk keeps its size and content when it is opened with O_TRUNC. But who opened it so believes
/// the file to be empty, and may leave out runs of zeros (cp of a file with holes does): what such
/// a handle skipped on its way to the last byte that it wrote becomes zeros when it is closed. What
/// others wrote meanwhile is left alone, and what lies behind the last byte as well.
///
/// Shared by the handles with O_TRUNC of one file and by the changes that run while there are any.
struct Truncation {
  explicit Truncation(Reactor& reactor) : lock(reactor) {}

  /// The close of a handle: what nobody wrote in [0, end) becomes zeros, told to `durability`. Both
  /// outlive the task. Errors of the device; the gaps before the failed one are zeroed then.
  Task<void> zero_gaps(RequestContext& context, BlockDevice& device, Durability& durability,
                       std::uint64_t end);

  RangeLock lock;         ///< changes are shared, the zeroing at the close is exclusive
  WrittenRanges written;  ///< by any handle since the first O_TRUNC
};

}  // namespace lunfs::fs
