#pragma once

#include <memory>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "base/reactor.h"

namespace lunfs {

/// Makes a device of whole blocks (512, 4096, ...) one of bytes: geometry().block_size_bytes is 1,
/// all else is the inner device's.
///
/// Requests of whole blocks are passed on as they are. The partly covered blocks at the ends of the
/// others are read into a buffer of their own, and for a write changed and written back under a
/// range lock, which plain writes respect; what lies between goes straight between the device and
/// the caller's buffer. All parts of a request are in flight at once and carry its flags.
///
/// A write that ends by an Error must have no later effect on the inner device: the neighbours'
/// bytes in a block at its ends would be turned back. Copies by read and write where not aligned.
/// unmap() leaves partly covered blocks alone. compare_and_write() of parts of blocks is
/// kUnsupported. Belongs to the reactor's thread.
class UnalignedDevice final : public BlockDevice {
 public:
  /// kUnsupported if the block size is not a power of two up to 64 KiB. `reactor` outlives this.
  UnalignedDevice(Reactor& reactor, std::unique_ptr<BlockDevice> inner);
  /// As above; `inner` outlives this.
  /// @param writes  the line of all writes to what `inner` stores, where other UnalignedDevices,
  ///                each on its reactor's thread, write to it as well; null: nobody else does
  UnalignedDevice(Reactor& reactor, BlockDevice& inner,
                  std::shared_ptr<RangeLock::Line> writes = nullptr);

  [[nodiscard]] Geometry geometry() const noexcept override;

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;
  Task<void> do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                     std::uint64_t length) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  /// [begin, end) in bytes.
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    [[nodiscard]] std::uint64_t length() const noexcept { return end - begin; }
    [[nodiscard]] bool empty() const noexcept { return begin == end; }
  };
  /// A request cut at block borders: `middle` is whole blocks, the others are not. A request
  /// without a whole block in it is all `head` (it touches at most two blocks).
  struct Parts {
    Range head;
    Range middle;
    Range tail;
  };

  [[nodiscard]] bool whole_blocks(std::uint64_t offset, std::uint64_t length) const noexcept;
  [[nodiscard]] Range aligned_out(Range range) const noexcept;
  [[nodiscard]] Parts parts_of(Range range) const noexcept;

  /// Runs `inner` as a plain write of the range.
  template <typename T>
  Task<T> plainly(RequestContext& context, Range range, Task<T> inner);
  Task<void> read_in_parts(RequestContext& context, std::uint64_t offset, IoSpan out);
  Task<void> read_edge(RequestContext& context, Range range, IoSpan out);
  Task<void> write_in_parts(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                            WriteFlags flags);
  Task<void> zero_in_parts(RequestContext& context, Range range, bool may_unmap);
  /// Read-modify-write of the blocks that `range` touches; the caller holds the lock.
  Task<void> patch_edge(RequestContext& context, Range range, ConstIoSpan in, WriteFlags flags);

  std::unique_ptr<BlockDevice> owned_;  ///< null if only referenced
  BlockDevice& inner_;
  const std::uint64_t block_;  ///< bytes
  Reactor& reactor_;
  std::shared_ptr<RangeLock::Line> writes_;
};

}  // namespace lunfs
