#include "volume/vhd/checksum.h"

namespace lunfs::vhd {

namespace {

constexpr std::uint64_t kFieldBytes = 4;

std::uint32_t sum_of(ConstByteSpan bytes) {
  std::uint32_t sum = 0;  // wraps, as the format's does
  for (const std::byte byte : bytes) sum += std::to_integer<std::uint32_t>(byte);
  return sum;
}

}  // namespace

std::uint32_t checksum_of(ConstByteSpan structure, std::uint64_t field) {
  return ~(sum_of(structure) - sum_of(sub_span(structure, field, kFieldBytes)));
}

std::uint32_t checksum_of_map(ConstByteSpan bytes, ByteSign sign) noexcept {
  if (sign == ByteSign::kUnsigned) return ~sum_of(bytes);
  std::uint32_t sum = 0;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<std::uint32_t>(byte);
    sum += value < 0x80U ? value : value - 0x100U;  // a byte from 0x80 on is value - 256
  }
  return ~sum;
}

}  // namespace lunfs::vhd
