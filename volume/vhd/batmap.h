#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "volume/vhd/checksum.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/footer.h"

/// The batmap, an extension of tapdisk's: which blocks are completely written. It stands behind the
/// BAT and saves reading bitmaps; an image is whole without it. Pure; no I/O.
/// Source: docs/formats/vhd.md, batmap.
namespace lunfs::vhd {

inline constexpr std::uint64_t kBatmapHeaderBytes = 512;

struct BatmapHeader {
  std::uint64_t offset = 0;        ///< bytes; where the map is
  std::uint64_t length_bytes = 0;  ///< of the map, whole sectors; 0 only if encrypted
  std::uint32_t checksum = 0;
  ByteSign sign = ByteSign::kUnsigned;
  bool encrypted = false;  ///< a key's hash is there: the blocks' data is AES-XTS
};

/// Where a batmap's header is, if the image has one: behind the BAT, padded to whole sectors.
/// nullopt for creators that write none. Overflow cannot happen with a parsed header.
[[nodiscard]] std::optional<std::uint64_t> batmap_header_offset(const Footer& footer,
                                                                const DynamicHeader& header);

/// nullopt if it is none (another cookie or version, a place that cannot be): the image is read
/// without it then. One that says `encrypted` is never nullopt, whatever else is wrong with it, but
/// then of length 0.
[[nodiscard]] std::optional<BatmapHeader> parse_batmap_header(ConstByteSpan sector);

/// Over how many bytes of the map the checksum goes, for a disk of that size; whole sectors.
[[nodiscard]] std::uint64_t batmap_checked_bytes(std::uint64_t size_bytes) noexcept;

/// True if the map has as many as `bytes` (batmap_checked_bytes() of them) and their checksum is
/// right. Blocks whose bits lie behind them are not vouched for.
[[nodiscard]] bool batmap_is_good(const BatmapHeader& header, ConstByteSpan bytes) noexcept;

}  // namespace lunfs::vhd
