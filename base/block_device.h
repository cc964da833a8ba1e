#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/task.h"

namespace lunfs {

/// Where a read puts its bytes; the caller owns them until the task has ended.
using IoSpan = std::span<std::byte>;
/// What a write takes; the caller owns and does not change it until the task has ended.
using ConstIoSpan = std::span<const std::byte>;

/// May the command be sent again when its reply was lost?
enum class Resend {
  kAllowed,  ///< plain data: sending it twice changes nothing
  kNever,    ///< pointers and metadata: a lost reply ends as ErrorKind::kOutcomeUnknown
};

struct WriteFlags {
  bool fua = false;  ///< durable when the task ends
  Resend resend = Resend::kAllowed;
};

/// What a device can do and how it likes to be asked. Lengths in bytes.
struct Geometry {
  std::uint64_t size_bytes = 0;              ///< may grow while open, never shrinks
  std::uint32_t block_size_bytes = 1;        ///< offsets and lengths of I/O must be multiples of it
  std::uint32_t physical_block_bytes = 512;  ///< what the medium writes at once; a hint
  std::uint64_t max_transfer_bytes = 0;  ///< longest single command, 0 = no limit; a hint: longer
                                         ///< requests are split by the device
  bool read_only = false;                ///< every write is refused by kReadOnly
  bool can_unmap = false;                ///< unmap() gives space back
  bool can_compare_and_write = false;
};

/// A run of bytes as allocated() tells it.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool hole = false;  ///< true: not allocated, reads as zeros for certain

  bool operator==(const Extent&) const = default;
};

/// Everything that stores bytes: file, LUN, LV, VHD chain; in tests memory, pattern, fault and
/// recording devices. Offsets and lengths are bytes.
///
/// The public functions check the contract between layers and then call the implementation: a
/// range beyond the size is kOutOfRange, an unaligned one kInternal, any change of a read-only
/// device kReadOnly; nothing was done in these cases. A zero length succeeds and does nothing.
///
/// Calls may run at the same time; overlapping ones of which one writes have no defined order.
/// Bytes acknowledged by a write are seen by every later read. The context and the spans outlive
/// the task. Objects belong to one reactor's thread.
class BlockDevice {
 public:
  BlockDevice() = default;
  BlockDevice(const BlockDevice&) = delete;
  BlockDevice& operator=(const BlockDevice&) = delete;
  virtual ~BlockDevice() = default;

  /// All of `out` is filled, or an Error is thrown and its content means nothing.
  Task<void> read(RequestContext& context, std::uint64_t offset, IoSpan out);

  /// All of `in` is acknowledged, or an Error is thrown and the range may hold old bytes, new ones
  /// or a mixture by blocks.
  Task<void> write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                   WriteFlags flags = {});

  /// When it ends every write acknowledged before the call is durable.
  Task<void> flush(RequestContext& context);

  /// The range's content is no longer needed and undefined until it is written again; space may be
  /// given back. A device that cannot (geometry().can_unmap false) throws kUnsupported.
  Task<void> unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length);

  /// The range reads as zeros afterwards. With `may_unmap` the device may give the space back.
  Task<void> write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                          bool may_unmap);

  /// Writes `in` if the range holds `expected` (same length), in one indivisible step.
  /// @return false if it holds something else; nothing was written then.
  /// kUnsupported where geometry().can_compare_and_write is false. Never sent twice.
  Task<bool> compare_and_write(RequestContext& context, std::uint64_t offset, ConstIoSpan expected,
                               ConstIoSpan in);

  /// Copies inside the device; the ranges must not overlap.
  Task<void> copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                  std::uint64_t length);

  /// What is stored in the range: runs in order that cover it exactly, neighbours differ. A run may
  /// be called allocated although it is not, never the reverse.
  Task<std::vector<Extent>> allocated(RequestContext& context, std::uint64_t offset,
                                      std::uint64_t length);

  /// Thread-safe; never waits.
  [[nodiscard]] virtual Geometry geometry() const noexcept = 0;

 protected:
  virtual Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) = 0;
  virtual Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                              WriteFlags flags) = 0;
  virtual Task<void> do_flush(RequestContext& context) = 0;
  virtual Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length);
  /// Default: writes zeros.
  virtual Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                     std::uint64_t length, bool may_unmap);
  virtual Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                          ConstIoSpan expected, ConstIoSpan in);
  /// Default: reads and writes in pieces of 1 MiB.
  virtual Task<void> do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                             std::uint64_t length);
  /// Default: everything is allocated.
  virtual Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                                 std::uint64_t length);

 private:
  void check_range(std::uint64_t offset, std::uint64_t length) const;
  void check_change(std::uint64_t offset, std::uint64_t length) const;
};

}  // namespace lunfs
