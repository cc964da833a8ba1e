#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/uuid.h"

/// The header of a dynamic or differencing VHD. Pure; no I/O. Numbers are big-endian on disk.
/// Source: docs/formats/vhd.md, dynamic header.
namespace lunfs::vhd {

inline constexpr std::uint64_t kDynamicHeaderBytes = 1024;
inline constexpr std::uint32_t kMaxBlockBytes = 2U << 20U;
/// Longest text of a locator that is read. A device-mapper name has at most 127 characters.
inline constexpr std::uint64_t kMaxLocatorBytes = 4096;

/// Where a text lies that names the parent.
struct ParentLocator {
  std::uint32_t platform = 0;  ///< "MacX", "W2ku", "W2ru" or another as a number; 0 = unused
  std::uint64_t offset = 0;    ///< bytes from the image's start, below kMaxSizeBytes
  std::uint32_t length = 0;    ///< bytes, not 0, at most kMaxLocatorBytes
};

inline constexpr std::uint32_t kPlatformMacX = 0x4D616358;
inline constexpr std::uint32_t kPlatformW2ku = 0x57326B75;
inline constexpr std::uint32_t kPlatformW2ru = 0x57327275;

/// A header whose every field is good.
struct DynamicHeader {
  std::uint64_t bat_offset = 0;   ///< bytes, whole sectors, below kMaxSizeBytes
  std::uint32_t bat_entries = 0;  ///< length of the table; the disk may need fewer
  std::uint32_t block_bytes = 0;  ///< a power of two, 512 bytes to 2 MiB
  Uuid parent_uuid;               ///< the parent's footer uuid; nil: none, or a raw parent
  /// UTF-8, as stored up to the first NUL; empty if there is none, it is not UTF-16, or it has
  /// control characters.
  std::string parent_name;
  std::array<ParentLocator, 8> locators;  ///< those that cannot be followed have platform 0

  /// Whole sectors in front of each block's data.
  [[nodiscard]] std::uint64_t bitmap_bytes() const noexcept;
};

/// Reads kDynamicHeaderBytes. Errors: kCorrupt (cookie, checksum, block size, table); kUnsupported
/// (version, blocks larger than kMaxBlockBytes).
[[nodiscard]] DynamicHeader parse_dynamic_header(ConstByteSpan bytes);

/// The name of the parent's LV that a stored text means: the last path component (of '/' or '\\'),
/// with device-mapper's doubling of '-' undone and the VG's part left out ("VHD-<uuid>"). A
/// component without a doubled '-', or with doubled ones only, is taken as it is. Empty if nothing
/// is left. Source: docs/formats/vhd.md, how the parent is found.
[[nodiscard]] std::string lv_name_of_parent(std::string_view stored);

/// A locator's text in UTF-8 ("file://./..." of MacX without its scheme, UTF-16LE of the others);
/// up to the first NUL; empty if it is not text, has control characters, or another platform's.
[[nodiscard]] std::string locator_text(std::uint32_t platform, ConstByteSpan bytes);

}  // namespace lunfs::vhd
