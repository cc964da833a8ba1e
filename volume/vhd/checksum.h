#pragma once

#include <cstdint>

#include "base/bytes.h"

/// The checksums of a VHD's structures. Pure. Source: docs/formats/vhd.md, checksums.
namespace lunfs::vhd {

/// One's complement of the sum of all bytes, of which the four at `field` count as zeros.
[[nodiscard]] std::uint32_t checksum_of(ConstByteSpan structure, std::uint64_t field);

/// One's complement of the sum of all bytes; a batmap's of version 1.1 takes them as signed.
enum class ByteSign { kUnsigned, kSigned };
[[nodiscard]] std::uint32_t checksum_of_map(ConstByteSpan bytes, ByteSign sign) noexcept;

}  // namespace lunfs::vhd
