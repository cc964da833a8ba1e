#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lunfs::lvm {

/// What LVM starts its CRC with.
inline constexpr std::uint32_t kCrcStart = 0xf597a6cf;

/// LVM's checksum of labels, headers and texts: reflected CRC-32 (polynomial 0xedb88320) without
/// inversion at either end. A run in two pieces: pass the first one's result as `start`.
/// Source: docs/formats/lvm-metadata.md, checksum.
[[nodiscard]] std::uint32_t crc(ConstByteSpan bytes, std::uint32_t start = kCrcStart) noexcept;

}  // namespace lunfs::lvm
