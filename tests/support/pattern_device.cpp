#include "tests/support/pattern_device.h"

#include "base/error.h"

namespace lunfs::testing {

std::byte pattern_byte(std::uint64_t offset) noexcept {
  constexpr std::uint64_t kWord = 8;
  const std::uint64_t word = offset / kWord * kWord;
  const std::uint64_t shift = (kWord - 1 - offset % kWord) * 8;
  return static_cast<std::byte>((word >> shift) & 0xffU);
}

PatternDevice::PatternDevice(std::uint64_t size_bytes) {
  geometry_.size_bytes = size_bytes;
  geometry_.read_only = true;
}

Task<void> PatternDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  context.check();
  for (std::byte& byte : out) byte = pattern_byte(offset++);
  co_return;
}

Task<void> PatternDevice::do_write(RequestContext& /*context*/, std::uint64_t /*offset*/,
                                   ConstIoSpan /*in*/, WriteFlags /*flags*/) {
  throw Error(ErrorKind::kInternal, "a write got through to a read-only device");
}

Task<void> PatternDevice::do_flush(RequestContext& context) {
  context.check();
  co_return;
}

}  // namespace lunfs::testing
