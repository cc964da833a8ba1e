#include "iscsi/scsi_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kPageHeader = 4;
constexpr std::size_t kDescriptorHeader = 4;
/// Longer names are passed over: udev keeps a name and its end in as many bytes.
constexpr std::size_t kMaxNameBytes = 256;

enum CodeSet : unsigned { kBinary = 1, kAscii = 2 };

enum DesignatorType : unsigned { kVendorSpecific = 0, kT10Vendor = 1, kEui64 = 2, kNaa = 3 };

/// A kind of name, in the order in which udev prefers them.
struct Wanted {
  DesignatorType type;
  std::optional<unsigned> naa_format;  ///< none: any
  CodeSet code_set;
};
constexpr unsigned kIeeeRegistered = 5;
constexpr unsigned kIeeeRegisteredExtended = 6;
constexpr std::array kPreferred = std::to_array<Wanted>({
    {kNaa, kIeeeRegisteredExtended, kBinary},
    {kNaa, kIeeeRegisteredExtended, kAscii},
    {kNaa, kIeeeRegistered, kBinary},
    {kNaa, kIeeeRegistered, kAscii},
    {kNaa, std::nullopt, kBinary},
    {kNaa, std::nullopt, kAscii},
    {kEui64, std::nullopt, kBinary},
    {kEui64, std::nullopt, kAscii},
    {kT10Vendor, std::nullopt, kBinary},
    {kT10Vendor, std::nullopt, kAscii},
    {kVendorSpecific, std::nullopt, kBinary},
    {kVendorSpecific, std::nullopt, kAscii},
});

unsigned at(ConstByteSpan bytes, std::size_t index) noexcept {
  return index < bytes.size() ? std::to_integer<unsigned>(bytes[index]) : 0;
}

std::string hex(ConstByteSpan bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return text;
}

/// Up to the first NUL, as a C string is.
std::string text_of(ConstByteSpan bytes) {
  const std::string_view text = as_text(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

/// Vendor and product, 24 characters; nothing if there are fewer.
std::string vendor_and_product(ConstByteSpan inquiry) {
  constexpr std::size_t kVendor = 8;
  constexpr std::size_t kBoth = 24;
  if (inquiry.size() < kVendor + kBoth) return {};
  std::string text = text_of(inquiry.subspan(kVendor, kBoth));
  return text.size() == kBoth ? text : std::string();
}

struct Descriptor {
  ConstByteSpan header;
  ConstByteSpan name;

  [[nodiscard]] unsigned code_set() const noexcept { return at(header, 0) & 0x0fU; }
  [[nodiscard]] unsigned type() const noexcept { return at(header, 1) & 0x0fU; }
  [[nodiscard]] bool of_the_lun() const noexcept { return (at(header, 1) & 0x30U) == 0; }
};

bool matches(const Descriptor& descriptor, const Wanted& wanted) noexcept {
  if (!descriptor.of_the_lun() || descriptor.type() != wanted.type ||
      descriptor.code_set() != wanted.code_set) {
    return false;
  }
  if (wanted.naa_format && at(descriptor.name, 0) >> 4U != *wanted.naa_format) return false;
  const std::size_t characters = descriptor.name.size() * (wanted.code_set == kAscii ? 1 : 2) +
                                 (wanted.type == kVendorSpecific ? 24 : 0);
  return characters + 2 <= kMaxNameBytes;
}

std::string name_of(const Descriptor& descriptor, const Wanted& wanted, ConstByteSpan inquiry) {
  std::string name = fmt::format("{}", static_cast<unsigned>(wanted.type));
  if (wanted.type == kVendorSpecific) {
    const std::string maker = vendor_and_product(inquiry);
    if (maker.empty()) return {};
    name += maker;
  }
  return name + (wanted.code_set == kAscii ? text_of(descriptor.name) : hex(descriptor.name));
}

std::string name_in_page_83(const LunNames& names) {
  const ConstByteSpan page = names.page_83;
  if (page.size() < kPageHeader || at(page, 1) != 0x83) return {};
  const std::size_t told = at(page, 2) << 8U | at(page, 3);
  // Some old arrays send a bare WWN in the place of descriptors; byte 6 is 0 in a descriptor.
  if (at(page, 6) != 0) {
    const ConstByteSpan wwn = page.subspan(kPageHeader);
    return fmt::format("{}{}", static_cast<unsigned>(kNaa),
                       hex(wwn.first(std::min<std::size_t>(at(page, 3), wwn.size()))));
  }
  const ConstByteSpan list = page.subspan(kPageHeader, std::min(told, page.size() - kPageHeader));
  for (const Wanted& wanted : kPreferred) {
    for (ConstByteSpan rest = list; rest.size() >= kDescriptorHeader;) {
      const std::size_t length = at(rest, 3);
      if (length > rest.size() - kDescriptorHeader) break;
      const Descriptor descriptor{rest.first(kDescriptorHeader),
                                  rest.subspan(kDescriptorHeader, length)};
      if (matches(descriptor, wanted)) {
        if (std::string name = name_of(descriptor, wanted, names.inquiry); !name.empty()) {
          return name;
        }
      }
      rest = rest.subspan(kDescriptorHeader + length);
    }
  }
  return {};
}

std::string name_in_page_80(const LunNames& names) {
  const ConstByteSpan page = names.page_80;
  if (page.size() < kPageHeader || at(page, 1) != 0x80) return {};
  const std::string maker = vendor_and_product(names.inquiry);
  const ConstByteSpan rest = page.subspan(kPageHeader);
  if (maker.empty() || 1 + maker.size() + at(page, 3) > kMaxNameBytes) return {};
  return "S" + maker + text_of(rest.first(std::min<std::size_t>(at(page, 3), rest.size())));
}

/// As XenServer stores it.
std::string without_blanks(std::string_view text) {
  std::string result;
  bool blank = false;
  for (const char c : text) {
    const bool white = c == ' ' || (c >= '\t' && c <= '\r');
    if (!white) {
      if (blank && !result.empty()) result += '_';
      result += c > 0x20 && c < 0x7f ? c : '_';
    }
    blank = white;
  }
  return result;
}

}  // namespace

std::string scsi_id(const LunNames& names) {
  std::string name = name_in_page_83(names);
  if (name.empty()) name = name_in_page_80(names);
  return without_blanks(name);
}

}  // namespace lunfs::iscsi
