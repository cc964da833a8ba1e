#include "tests/unit/vhd/vhd_bytes.h"

#include <algorithm>
#include <stdexcept>

namespace lunfs::vhd::testing {

namespace {

Bytes number(std::uint64_t value, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[size - 1 - i] = static_cast<std::byte>(value >> (8U * i));
  }
  return bytes;
}

}  // namespace

Bytes hex(std::string_view digits) {
  std::string packed(digits);
  std::erase(packed, ' ');
  if (packed.size() % 2 != 0) throw std::logic_error("half a byte");
  Bytes bytes;
  for (std::size_t i = 0; i < packed.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoul(packed.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Bytes text(std::string_view characters) {
  Bytes bytes;
  for (const char c : characters) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

Bytes utf16(std::u16string_view characters, ByteOrder order) {
  Bytes bytes;
  for (const char16_t unit : characters) {
    const Bytes big = number(unit, 2);
    bytes.push_back(order == ByteOrder::kBig ? big[0] : big[1]);
    bytes.push_back(order == ByteOrder::kBig ? big[1] : big[0]);
  }
  return bytes;
}

Bytes with(Bytes structure, std::uint64_t offset, const Bytes& bytes) {
  if (offset + bytes.size() > structure.size()) throw std::logic_error("outside the structure");
  std::copy(bytes.begin(), bytes.end(), structure.begin() + static_cast<std::ptrdiff_t>(offset));
  return structure;
}

Bytes with_u32(Bytes structure, std::uint64_t offset, std::uint32_t value) {
  return with(std::move(structure), offset, number(value, 4));
}

Bytes with_u64(Bytes structure, std::uint64_t offset, std::uint64_t value) {
  return with(std::move(structure), offset, number(value, 8));
}

Bytes sealed(Bytes structure, std::uint64_t field) {
  structure = with_u32(std::move(structure), field, 0);
  std::uint32_t sum = 0;
  for (const std::byte byte : structure) sum += std::to_integer<std::uint32_t>(byte);
  return with_u32(std::move(structure), field, 0xFFFFFFFFU - sum);
}

Bytes footer() {
  Bytes bytes(512);
  bytes = with(bytes, 0, text("conectix"));
  bytes = with(bytes, 8, hex("00000002 00010000 0000000000000200 3295 6cbb"));
  bytes = with(bytes, 28, text("tap"));
  bytes = with_u32(bytes, 32, 0x00010003);
  bytes = with_u64(bytes, 40, 64ULL << 20U);
  bytes = with_u64(bytes, 48, 64ULL << 20U);
  bytes = with(bytes, 56, hex("0787 04 11"));
  bytes = with_u32(bytes, 60, 3);
  bytes = with(bytes, 68, hex("00112233 44556677 8899aabb ccddeeff"));
  return sealed(bytes, kFooterChecksumAt);
}

Bytes header() {
  Bytes bytes(1024);
  bytes = with(bytes, 0, text("cxsparse"));
  bytes = with(bytes, 8, hex("ffffffffffffffff 0000000000000600 00010000 00000040 00200000"));
  return sealed(bytes, kHeaderChecksumAt);
}

Bytes batmap_header() {
  Bytes bytes(512);
  bytes = with(bytes, 0, text("tdbatmap"));
  return with(bytes, 8, hex("0000000000000a00 00000001 00010002 ffffffff"));
}

Bytes footer_with(std::uint64_t offset, std::string_view digits) {
  return sealed(with(footer(), offset, hex(digits)), kFooterChecksumAt);
}

Bytes header_with(std::uint64_t offset, std::string_view digits) {
  return sealed(with(header(), offset, hex(digits)), kHeaderChecksumAt);
}

}  // namespace lunfs::vhd::testing
