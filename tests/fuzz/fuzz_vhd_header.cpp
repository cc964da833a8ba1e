#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "volume/vhd/checksum.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/fields.h"
#include "volume/vhd/footer.h"

using namespace lunfs;
using namespace lunfs::vhd;

namespace {

constexpr std::uint64_t kChecksumAt = 36;

/// A name that a message may show and that no path can be made of.
void check_names(const std::string& text) {
  if (checked_utf8(as_byte_span(text)) != text) __builtin_trap();
  const std::string name = lv_name_of_parent(text);
  if (name.find_first_of("/\\") != std::string::npos || name == ".") __builtin_trap();
  if (name.size() > text.size() || name == "..") __builtin_trap();
}

void check(const DynamicHeader& header, ConstByteSpan locators) {
  if (!std::has_single_bit(header.block_bytes) || header.block_bytes < kSectorBytes) {
    __builtin_trap();
  }
  if (header.block_bytes > kMaxBlockBytes || header.bitmap_bytes() != 512) __builtin_trap();
  if (header.bat_entries == 0 || header.bat_offset % kSectorBytes != 0) __builtin_trap();
  check_names(header.parent_name);
  for (const ParentLocator& locator : header.locators) {
    if (locator.platform == 0) continue;
    if (locator.length == 0 || locator.length > kMaxLocatorBytes) __builtin_trap();
    if (locator.offset >= kMaxSizeBytes) __builtin_trap();
    const auto length = std::min<std::size_t>(locators.size(), locator.length);
    check_names(locator_text(locator.platform, locators.first(length)));
  }
}

void read_header(ConstByteSpan bytes, ConstByteSpan locators) {
  try {
    check(parse_dynamic_header(bytes), locators);
  } catch (const Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
}

}  // namespace

/// A header, and behind it the bytes that all its locators point to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstByteSpan bytes = std::as_bytes(std::span(data, size));
  const ConstByteSpan head = bytes.first(std::min<std::size_t>(size, kDynamicHeaderBytes));
  const ConstByteSpan locators = bytes.subspan(head.size());
  read_header(head, locators);
  for (const std::uint32_t platform : {kPlatformMacX, kPlatformW2ku, kPlatformW2ru}) {
    check_names(locator_text(platform, locators));
  }
  // The same with a right checksum, which chance would not find.
  std::vector<std::byte> good(head.begin(), head.end());
  if (good.size() == kDynamicHeaderBytes) {
    store_be(ByteSpan(good), kChecksumAt, checksum_of(good, kChecksumAt));
    read_header(good, locators);
  }
  return 0;
}
