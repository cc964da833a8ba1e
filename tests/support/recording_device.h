#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/block_device.h"

namespace lunfs::testing {

/// Passes everything on to another device and keeps a log of every change and flush, with the data:
/// what crash tests rebuild a disk from. A copy is logged as the writes that it is made of. Reads
/// are kept in a list of their own.
class RecordingDevice final : public BlockDevice {
 public:
  enum class Kind { kWrite, kFlush, kUnmap, kWriteZeroes, kCompareAndWrite };

  struct Entry {
    Kind kind;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::vector<std::byte> data;  ///< of a write, and of a compare and write that wrote
    WriteFlags flags;
    /// Places in one order of all beginnings and ends. A flush covers every write whose `ended` is
    /// smaller than the flush's `began`.
    std::size_t began = 0;
    std::optional<std::size_t> ended;  ///< none: failed, or still running
  };

  /// In bytes.
  struct Read {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const Read&) const = default;
  };

  /// `inner` outlives this.
  explicit RecordingDevice(BlockDevice& inner) : inner_(inner) {}

  /// In the order of their beginnings.
  [[nodiscard]] const std::vector<Entry>& log() const noexcept { return log_; }
  /// In the order of their beginnings.
  [[nodiscard]] const std::vector<Read>& reads() const noexcept { return reads_; }
  /// No operation may be running.
  void clear() {
    log_.clear();
    reads_.clear();
  }

  [[nodiscard]] Geometry geometry() const noexcept override { return inner_.geometry(); }

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
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  /// The place of the new entry in the log.
  std::size_t begin(Kind kind, std::uint64_t offset, std::uint64_t length);
  void end(std::size_t place);

  BlockDevice& inner_;
  std::vector<Entry> log_;
  std::vector<Read> reads_;
  std::size_t clock_ = 0;
};

}  // namespace lunfs::testing
