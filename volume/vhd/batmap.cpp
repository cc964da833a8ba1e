#include "volume/vhd/batmap.h"

#include <algorithm>
#include <string_view>

namespace lunfs::vhd {

namespace {

constexpr std::string_view kCookie = "tdbatmap";
constexpr std::uint32_t kFirstCreatorWithBatmap = 0x00010001;
constexpr std::uint32_t kVersion11 = 0x00010001;
constexpr std::uint32_t kVersion12 = 0x00010002;
constexpr std::uint64_t kBatEntryBytes = 4;
/// One byte of the map stands for eight blocks of 2 MiB, whatever the image's blocks are.
constexpr unsigned kBytesPerMapByteShift = 24;

// Where the fields are, in bytes.
constexpr std::uint64_t kOffsetAt = 8;
constexpr std::uint64_t kSectorsAt = 16;
constexpr std::uint64_t kVersionAt = 20;
constexpr std::uint64_t kChecksumAt = 24;
constexpr std::uint64_t kKeyHashAt = 29;

}  // namespace

std::optional<std::uint64_t> batmap_header_offset(const Footer& footer,
                                                  const DynamicHeader& header) {
  if (!footer.by_tap() || footer.creator_version < kFirstCreatorWithBatmap) return std::nullopt;
  return checked_add(header.bat_offset,
                     align_up(kBatEntryBytes * header.bat_entries, kSectorBytes, "BAT's length"),
                     "batmap's place");
}

std::optional<BatmapHeader> parse_batmap_header(ConstByteSpan bytes) {
  if (bytes.size() < kBatmapHeaderBytes || !as_text(bytes).starts_with(kCookie)) {
    return std::nullopt;
  }
  BatmapHeader header;
  header.encrypted = bytes[kKeyHashAt] != std::byte{0};
  header.offset = load_be<std::uint64_t>(bytes, kOffsetAt);
  header.length_bytes = kSectorBytes * load_be<std::uint32_t>(bytes, kSectorsAt);
  header.checksum = load_be<std::uint32_t>(bytes, kChecksumAt);
  const auto version = load_be<std::uint32_t>(bytes, kVersionAt);
  header.sign = version == kVersion11 ? ByteSign::kSigned : ByteSign::kUnsigned;

  const bool usable = (version == kVersion11 || version == kVersion12) &&
                      is_aligned(header.offset, kSectorBytes) && header.offset >= kFooterBytes &&
                      header.offset < kMaxSizeBytes && header.length_bytes > 0;
  if (usable) return header;
  // The map can be done without, but never the word that all data is encrypted.
  if (!header.encrypted) return std::nullopt;
  header.length_bytes = 0;
  return header;
}

std::uint64_t batmap_checked_bytes(std::uint64_t size_bytes) noexcept {
  const std::uint64_t map_bytes = size_bytes >> kBytesPerMapByteShift;
  return std::max(align_down(map_bytes + kSectorBytes - 1, kSectorBytes), kSectorBytes);
}

bool batmap_is_good(const BatmapHeader& header, ConstByteSpan bytes) noexcept {
  return bytes.size() <= header.length_bytes &&
         checksum_of_map(bytes, header.sign) == header.checksum;
}

}  // namespace lunfs::vhd
