#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "fs/durability.h"

namespace lunfs::fs {

/// Which bytes of a file were written, as runs. Pure.
class WrittenRanges {
 public:
  struct Range {
    std::uint64_t offset;
    std::uint64_t length;
    bool operator==(const Range&) const = default;
  };

  /// offset + length does not overflow; ranges may overlap and come in any order. Makes at most one
  /// run more.
  void add(std::uint64_t offset, std::uint64_t length);
  /// How many runs there are.
  [[nodiscard]] std::size_t runs() const noexcept { return ends_.size(); }
  /// The runs of [0, end) that were not written, in order.
  [[nodiscard]] std::vector<Range> gaps(std::uint64_t end) const;
  /// Of the gaps between two runs that lie in [0, end) the smallest, `most` at most, in any order.
  /// Adding one makes two runs one.
  [[nodiscard]] std::vector<Range> smallest_gaps(std::uint64_t end, std::size_t most) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  ///< begin → end; apart from one another
};

/// A disk keeps its size and content when it is opened with O_TRUNC. But who opened it so believes
/// the file to be empty, and may leave out runs of zeros (cp of a file with holes does): what such
/// a handle skipped on its way to the last byte that it wrote becomes zeros when it is closed. What
/// others wrote meanwhile is left alone, and what lies behind the last byte as well.
///
/// Shared by the handles with O_TRUNC of one file and by the changes that run while there are any,
/// on whatever shard. Thread-safe.
class Truncation {
 public:
  /// Where a shard's changes of the file go; all of it outlives the call.
  struct Writer {
    Reactor& reactor;
    BlockDevice& device;
    Durability& durability;
  };

  /// 65536 runs are 4 MiB of memory; a copy in order has one.
  static constexpr std::size_t kMostRuns = 65536;

  explicit Truncation(std::size_t most_runs = kMostRuns) : most_runs_(most_runs) {}

  /// Changes are shared, zeroing is exclusive.
  [[nodiscard]] RangeLock::Line& line() noexcept { return line_; }

  /// A handle with O_TRUNC has written up to `end`, or set the file's end there.
  void reached(std::uint64_t end) noexcept;

  /// Before a change: when it ends there is room to note one more run, until the caller suspends
  /// (or another shard was quicker: then there is a run more, for each shard one at most).
  /// Where there is none, the smallest gaps become zeros now instead of at the close. Errors of the
  /// device: then the change must not be made.
  ///
  /// Gaps that no handle with O_TRUNC has passed may not become zeros. If only such are left, the
  /// smallest are forgotten, and zero_gaps() tells who passes them later: a writer among others
  /// never fails, and never loses a byte, because somebody truncates.
  Task<void> make_room(RequestContext& context, Writer writer);

  /// A change of the range by any handle, right after make_room(), before its place in the line()
  /// is taken and before it is made.
  void note(std::uint64_t offset, std::uint64_t length);

  /// The close of a handle: what nobody wrote in [0, end) becomes zeros, told to the writer's
  /// durability. Errors of the device, the gaps before the failed one are zeroed then; kIo if gaps
  /// in [0, end) were forgotten.
  Task<void> zero_gaps(RequestContext& context, Writer writer, std::uint64_t end);

  /// How many runs are noted.
  [[nodiscard]] std::size_t runs() const;

 private:
  using Ranges = std::vector<WrittenRanges::Range>;

  Task<void> zero(RequestContext& context, Writer writer, Ranges gaps);
  [[nodiscard]] Ranges gaps(std::uint64_t end) const;
  [[nodiscard]] Ranges smallest_gaps(std::uint64_t end) const;
  [[nodiscard]] std::uint64_t passed() const;
  [[nodiscard]] std::uint64_t forgotten_from() const;
  void forget_gaps();
  /// A batch is short enough not to hold up the file's other writers for seconds.
  [[nodiscard]] std::size_t batch() const noexcept { return most_runs_ / 64 + 1; }

  RangeLock::Line line_{RangeLock::Line::Threads::kMany};
  const std::size_t most_runs_;
  mutable std::mutex mutex_;  ///< guards what follows
  WrittenRanges written_;     ///< by any handle since the first O_TRUNC
  std::uint64_t end_ = 0;     ///< the furthest that a handle with O_TRUNC has reached
  /// Where the first forgotten gap begins.
  std::uint64_t forgotten_from_ = std::numeric_limits<std::uint64_t>::max();
};

/// Where a file's Truncation is found. Thread-safe; costs no lock as long as nobody truncates.
class TruncationPlace {
 public:
  /// Null if no handle with O_TRUNC is open.
  [[nodiscard]] std::shared_ptr<Truncation> find() const;
  /// For one more such handle: the one that is there, else a new one.
  [[nodiscard]] std::shared_ptr<Truncation> take();

 private:
  mutable std::atomic<bool> maybe_{false};  ///< false: there is none
  mutable std::mutex mutex_;
  std::weak_ptr<Truncation> truncation_;  ///< guarded by mutex_
};

}  // namespace lunfs::fs
