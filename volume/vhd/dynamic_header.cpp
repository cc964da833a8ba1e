#include "volume/vhd/dynamic_header.h"

#include <bit>
#include <string_view>

#include "volume/vhd/checksum.h"
#include "volume/vhd/fields.h"
#include "volume/vhd/footer.h"

namespace lunfs::vhd {

namespace {

constexpr std::string_view kCookie = "cxsparse";
constexpr std::uint32_t kHeaderVersion = 0x00010000;
constexpr std::uint64_t kBitsPerByte = 8;
constexpr std::string_view kFileScheme = "file://";

// Where the fields are, in bytes.
constexpr std::uint64_t kBatOffsetAt = 16;
constexpr std::uint64_t kVersionAt = 24;
constexpr std::uint64_t kBatEntriesAt = 28;
constexpr std::uint64_t kBlockBytesAt = 32;
constexpr std::uint64_t kChecksumAt = 36;
constexpr std::uint64_t kParentUuidAt = 40;
constexpr std::uint64_t kParentNameAt = 64;
constexpr std::uint64_t kParentNameBytes = 512;
constexpr std::uint64_t kLocatorsAt = 576;
constexpr std::uint64_t kLocatorBytes = 24;

// Within a locator.
constexpr std::uint64_t kSpaceAt = 4;
constexpr std::uint64_t kLengthAt = 8;
constexpr std::uint64_t kOffsetAt = 16;

void check_head(ConstByteSpan bytes) {
  if (!as_text(bytes).starts_with(kCookie)) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("dynamic header: the cookie is '{}', expected '{}'",
                            printable(bytes.first(kCookie.size())), kCookie));
  }
  const auto stored = load_be<std::uint32_t>(bytes, kChecksumAt);
  const std::uint32_t computed = checksum_of(bytes, kChecksumAt);
  if (stored != computed) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("dynamic header: the checksum is {:#010x}, expected {:#010x}", stored,
                            computed));
  }
  const auto version = load_be<std::uint32_t>(bytes, kVersionAt);
  if (version != kHeaderVersion) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("dynamic header: the version is {:#x}, expected {:#x}", version,
                            kHeaderVersion));
  }
}

void check_block_bytes(std::uint32_t block_bytes) {
  if (!std::has_single_bit(block_bytes) || block_bytes < kSectorBytes) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("dynamic header: the block size is {}, expected a power of two from {} "
                            "on",
                            block_bytes, kSectorBytes));
  }
  if (block_bytes > kMaxBlockBytes) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("dynamic header: the block size is {}, expected at most {}",
                            block_bytes, kMaxBlockBytes));
  }
}

void check_bat(const DynamicHeader& header) {
  if (header.bat_entries == 0) {
    throw Error(ErrorKind::kCorrupt, "dynamic header: the BAT has 0 entries, expected some");
  }
  if (!is_aligned(header.bat_offset, kSectorBytes) || header.bat_offset < kFooterBytes ||
      header.bat_offset >= kMaxSizeBytes) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("dynamic header: the BAT is at byte {}, expected a multiple of {} from "
                            "{} on and below {}",
                            header.bat_offset, kSectorBytes, kFooterBytes, kMaxSizeBytes));
  }
}

/// Platform 0 for one whose numbers make no sense: the parent may be named elsewhere as well.
ParentLocator parse_locator(ConstByteSpan entry) {
  std::uint64_t space = load_be<std::uint32_t>(entry, kSpaceAt);
  // Microsoft counts sectors, tapdisk bytes. No text needs 512 sectors.
  if (space < kSectorBytes) space *= kSectorBytes;
  const ParentLocator locator{load_be<std::uint32_t>(entry, 0),
                              load_be<std::uint64_t>(entry, kOffsetAt),
                              load_be<std::uint32_t>(entry, kLengthAt)};
  const bool good = is_aligned(space, kSectorBytes) && locator.length > 0 &&
                    locator.length <= space && locator.length <= kMaxLocatorBytes &&
                    locator.offset < kMaxSizeBytes;
  return good && locator.platform != 0 ? locator : ParentLocator{};
}

/// Undoes what the device mapper does to the names of VG and LV.
std::string without_vg(std::string_view name) {
  // Names of LVs have single dashes themselves ("VHD-<uuid>"): only a doubled one tells that the
  // device mapper's form is here, in which a single one ends the VG's part.
  constexpr std::string_view kDoubled = "--";
  if (name.find(kDoubled) == std::string_view::npos) return std::string(name);
  std::string lv_name;
  bool has_vg = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with(kDoubled)) {
      lv_name.push_back('-');
      ++i;
    } else if (name[i] == '-') {
      lv_name.clear();
      has_vg = true;
    } else {
      lv_name.push_back(name[i]);
    }
  }
  return has_vg ? lv_name : std::string(name);
}

}  // namespace

std::uint64_t DynamicHeader::bitmap_bytes() const noexcept {
  const std::uint64_t bits = block_bytes / kSectorBytes;
  const std::uint64_t bytes = (bits + kBitsPerByte - 1) / kBitsPerByte;
  return align_down(bytes + kSectorBytes - 1, kSectorBytes);
}

DynamicHeader parse_dynamic_header(ConstByteSpan all) {
  const ConstByteSpan bytes = sub_span(all, 0, kDynamicHeaderBytes);
  check_head(bytes);
  DynamicHeader header;
  header.bat_offset = load_be<std::uint64_t>(bytes, kBatOffsetAt);
  header.bat_entries = load_be<std::uint32_t>(bytes, kBatEntriesAt);
  header.block_bytes = load_be<std::uint32_t>(bytes, kBlockBytesAt);
  check_block_bytes(header.block_bytes);
  check_bat(header);
  header.parent_uuid = load_uuid(bytes, kParentUuidAt);
  header.parent_name =
      utf8_of_utf16(bytes.subspan(kParentNameAt, kParentNameBytes), ByteOrder::kBig).value_or("");
  for (std::size_t i = 0; i < header.locators.size(); ++i) {
    header.locators[i] =
        parse_locator(bytes.subspan(kLocatorsAt + i * kLocatorBytes, kLocatorBytes));
  }
  return header;
}

std::string lv_name_of_parent(std::string_view stored) {
  const std::string_view component = stored.substr(stored.find_last_of("/\\") + 1);
  std::string name = without_vg(component);
  if (name == "." || name == "..") name.clear();
  return name;
}

std::string locator_text(std::uint32_t platform, ConstByteSpan bytes) {
  switch (platform) {
    case kPlatformMacX: {
      std::string text = checked_utf8(bytes).value_or("");
      if (text.starts_with(kFileScheme)) text.erase(0, kFileScheme.size());
      return text;
    }
    case kPlatformW2ku:
    case kPlatformW2ru:
      return utf8_of_utf16(bytes, ByteOrder::kLittle).value_or("");
    default:
      return {};
  }
}

}  // namespace lunfs::vhd
