#include "tests/support/vhd_structures.h"

#include <algorithm>
#include <array>

namespace lunfs::testing {

namespace {

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};
constexpr std::uint32_t kFormatVersion = 0x00010000;
constexpr std::uint32_t kFixed = 2;
constexpr std::uint64_t kHeaderBytes = 1024;
constexpr std::uint64_t kParentName = 64;
constexpr std::uint64_t kParentNameBytes = 512;
constexpr std::uint64_t kLocators = 576;
constexpr std::uint64_t kLocatorBytes = 24;

void put_text(ByteSpan bytes, std::uint64_t offset, std::string_view text) {
  const ConstByteSpan source = as_byte_span(text);
  std::copy(source.begin(), source.end(), bytes.subspan(offset).begin());
}

void put_uuid(ByteSpan bytes, std::uint64_t offset, const Uuid& uuid) {
  std::transform(uuid.bytes().begin(), uuid.bytes().end(), bytes.subspan(offset).begin(),
                 [](std::uint8_t byte) { return std::byte{byte}; });
}

/// Cylinders, heads and sectors a track of so many sectors.
std::uint32_t geometry_of(std::uint64_t size_bytes) {
  const std::uint64_t sectors =
      std::min<std::uint64_t>(size_bytes / kVhdSector, 65535ULL * 16 * 255);
  std::uint64_t track = 17;
  std::uint64_t heads = 0;
  std::uint64_t both = sectors / track;  // cylinders times heads
  if (sectors >= 65535ULL * 16 * 63) {
    track = 255;
    heads = 16;
    both = sectors / track;
  } else {
    heads = std::max<std::uint64_t>(4, (both + 1023) / 1024);
    if (both >= heads * 1024 || heads > 16) {
      track = 31;
      heads = 16;
      both = sectors / track;
    }
    if (both >= heads * 1024) {
      track = 63;
      heads = 16;
      both = sectors / track;
    }
  }
  return static_cast<std::uint32_t>((both / heads) << 16U | heads << 8U | track);
}

/// ASCII to UTF-16, big endian or little.
std::vector<std::byte> utf16(std::string_view text, bool big_endian) {
  std::vector<std::byte> out;
  for (const std::byte character : as_byte_span(text)) {
    out.push_back(big_endian ? std::byte{0} : character);
    out.push_back(big_endian ? character : std::byte{0});
  }
  return out;
}

std::string stored_name(const VhdParent& parent) {
  return parent.vg_name.empty() ? parent.lv_name
                                : device_mapper_name(parent.vg_name, parent.lv_name);
}

void put_locators(ByteSpan header, const VhdShape& shape, std::uint64_t locators_offset) {
  constexpr std::array<std::string_view, kVhdLocators> kCodes{"MacX", "W2ku", "W2ru"};
  const auto texts = vhd_locator_texts(*shape.parent);
  for (std::size_t i = 0; i < kVhdLocators; ++i) {
    const std::uint64_t at = kLocators + i * kLocatorBytes;
    put_text(header, at, kCodes[i]);
    store_be<std::uint32_t>(header, at + 4, shape.locator_space_in_sectors ? 1 : kVhdSector);
    store_be<std::uint32_t>(header, at + 8, static_cast<std::uint32_t>(texts[i].size()));
    store_be<std::uint64_t>(header, at + 16, locators_offset + i * kVhdSector);
  }
}

}  // namespace

std::uint32_t vhd_checksum(ConstByteSpan structure, std::uint64_t field) {
  std::uint32_t sum = 0;
  for (std::uint64_t i = 0; i < structure.size(); ++i) {
    if (i < field || i >= field + 4) sum += std::to_integer<std::uint32_t>(structure[i]);
  }
  return ~sum;
}

std::vector<std::byte> vhd_footer(const VhdShape& shape, std::uint32_t disk_type) {
  constexpr std::uint64_t kChecksum = 64;
  std::vector<std::byte> footer(kVhdSector);
  put_text(footer, 0, "conectix");
  store_be<std::uint32_t>(footer, 8, 2);
  store_be<std::uint32_t>(footer, 12, kFormatVersion);
  store_be<std::uint64_t>(footer, 16, disk_type == kFixed ? kAllOnes : shape.header_offset);
  store_be<std::uint32_t>(footer, 24, shape.timestamp);
  put_text(footer, 28, shape.creator);
  store_be<std::uint32_t>(footer, 32, shape.creator_version);
  store_be<std::uint64_t>(footer, 40, shape.size_bytes);
  store_be<std::uint64_t>(footer, 48, shape.size_bytes);
  store_be<std::uint32_t>(footer, 56, geometry_of(shape.size_bytes));
  store_be<std::uint32_t>(footer, 60, disk_type);
  put_uuid(footer, 68, shape.uuid);
  footer[85] = std::byte{shape.hidden};
  store_be<std::uint32_t>(footer, kChecksum, vhd_checksum(footer, kChecksum));
  return footer;
}

std::vector<std::byte> vhd_header(const VhdShape& shape, const VhdHeaderPlan& plan) {
  constexpr std::uint64_t kChecksum = 36;
  std::vector<std::byte> header(kHeaderBytes);
  put_text(header, 0, "cxsparse");
  store_be<std::uint64_t>(header, 8, kAllOnes);
  store_be<std::uint64_t>(header, 16, plan.bat_offset);
  store_be<std::uint32_t>(header, 24, kFormatVersion);
  store_be<std::uint32_t>(header, 28, plan.bat_entries);
  store_be<std::uint32_t>(header, 32, shape.block_bytes);
  if (shape.parent) {
    put_uuid(header, 40, shape.parent->uuid);
    store_be<std::uint32_t>(header, 56, shape.timestamp);
    std::vector<std::byte> name = utf16(stored_name(*shape.parent), true);
    name.resize(std::min<std::size_t>(name.size(), kParentNameBytes));
    std::copy(name.begin(), name.end(), header.begin() + kParentName);
    put_locators(header, shape, plan.locators_offset);
  }
  store_be<std::uint32_t>(header, kChecksum, vhd_checksum(header, kChecksum));
  return header;
}

std::vector<std::vector<std::byte>> vhd_locator_texts(const VhdParent& parent) {
  const std::string url = "file://./" + stored_name(parent);
  const ConstByteSpan bytes = as_byte_span(url);
  const std::vector<std::byte> windows = utf16(".\\" + stored_name(parent), false);
  return {{bytes.begin(), bytes.end()}, windows, windows};
}

std::string device_mapper_name(std::string_view vg, std::string_view lv) {
  std::string out;
  const auto append_doubled = [&](std::string_view name) {
    for (const char character : name) {
      out += character;
      if (character == '-') out += '-';
    }
  };
  append_doubled(vg);
  out += '-';
  append_doubled(lv);
  return out;
}

std::uint64_t vhd_batmap_checked_bytes(std::uint64_t size_bytes) {
  return kVhdSector *
         std::max<std::uint64_t>(1, ((size_bytes >> 24U) + kVhdSector - 1) / kVhdSector);
}

std::uint32_t vhd_batmap_checksum(ConstByteSpan bytes, bool bytes_are_signed) {
  std::uint32_t sum = 0;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<std::uint8_t>(byte);
    sum +=
        bytes_are_signed
            ? static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int8_t>(value)))
            : value;
  }
  return ~sum;
}

}  // namespace lunfs::testing
