#pragma once

#include <cstdint>

#include "base/block_device.h"

namespace lunfs::testing {

/// The byte at `offset` of a PatternDevice.
std::byte pattern_byte(std::uint64_t offset) noexcept;

/// A read-only device of any size in which every 8 bytes hold their own offset, big endian: content
/// can be checked by its place alone.
class PatternDevice final : public BlockDevice {
 public:
  explicit PatternDevice(std::uint64_t size_bytes);

  [[nodiscard]] Geometry geometry() const noexcept override { return geometry_; }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;

 private:
  Geometry geometry_;
};

}  // namespace lunfs::testing
