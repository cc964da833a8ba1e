#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "base/block_device.h"
#include "base/reactor.h"

namespace lunfs::testing {

/// A BlockDevice over bytes in memory. A test looks at and changes bytes() and geometry at will.
///
/// Without suspend_through() every operation is done when it is first awaited. With it, each one
/// suspends a few times before and after it takes effect, so that operations really interleave.
class MemoryDevice final : public BlockDevice {
 public:
  explicit MemoryDevice(std::uint64_t size_bytes, std::uint32_t block_size_bytes = 1);
  explicit MemoryDevice(std::vector<std::byte> bytes, std::uint32_t block_size_bytes = 1);

  /// Every later operation suspends at least once, a random number of turns from `seed`. `reactor`
  /// outlives the device.
  void suspend_through(Reactor& reactor, std::uint32_t seed = 1);

  [[nodiscard]] std::vector<std::byte>& bytes() noexcept { return bytes_; }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

  /// Changes what geometry() tells; size_bytes is that of bytes() until it is set here.
  void set_geometry(const Geometry& geometry) { geometry_ = geometry; }
  void set_read_only(bool read_only) { geometry_.read_only = read_only; }
  [[nodiscard]] Geometry geometry() const noexcept override { return geometry_; }

  /// How often each kind of operation reached the implementation.
  struct Counts {
    std::size_t reads = 0;
    std::size_t writes = 0;
    std::size_t flushes = 0;
    std::size_t unmaps = 0;
    std::size_t zeroes = 0;
    std::size_t compares = 0;
    std::size_t fua_writes = 0;     ///< of the writes
    std::size_t never_resends = 0;  ///< of the writes, those with Resend::kNever
    /// Everything that changes or could change the content.
    [[nodiscard]] std::size_t changes() const noexcept {
      return writes + unmaps + zeroes + compares;
    }
  };
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  void reset_counts() noexcept { counts_ = {}; }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  /// Fills the range with 0xDB, as its content is undefined.
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;

 private:
  Task<void> pause();

  std::vector<std::byte> bytes_;
  Geometry geometry_;
  Counts counts_;
  Reactor* reactor_ = nullptr;
  std::minstd_rand random_;
};

}  // namespace lunfs::testing
