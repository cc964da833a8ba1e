#include "iscsi/scsi_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kVpdHeader = 4;
constexpr std::uint32_t kMaxPhysicalExponent = 15;

std::uint8_t byte_at(ConstByteSpan bytes, std::uint64_t offset) {
  return load<std::uint8_t>(bytes, offset, ByteOrder::kBig);
}

bool bit_at(ConstByteSpan bytes, std::uint64_t offset, unsigned bit) {
  return (static_cast<unsigned>(byte_at(bytes, offset)) >> bit & 1U) != 0;
}

/// Printable ASCII without the blanks at the ends; what else a target sends is not for logs.
std::string printable(ConstByteSpan bytes) {
  std::string text;
  for (const char c : as_text(bytes)) {
    if (c >= 0x20 && c < 0x7f) text += c;
  }
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string hex(ConstByteSpan bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return text;
}

/// How good a designator of a type is as the LUN's name; 0 = none.
int rank_of(std::uint8_t type) noexcept {
  switch (type) {
    case 3:  // NAA
      return 4;
    case 2:  // EUI-64
      return 3;
    case 8:  // SCSI name string
      return 2;
    case 1:  // T10 vendor identification
      return 1;
    default:
      return 0;
  }
}

}  // namespace

InquiryData parse_inquiry(ConstByteSpan bytes) {
  InquiryData data;
  data.qualifier = static_cast<std::uint8_t>(byte_at(bytes, 0) >> 5U);
  data.device_type = byte_at(bytes, 0) & 0x1fU;
  constexpr std::size_t kWithNames = 32;
  if (bytes.size() >= kWithNames) {
    data.vendor = printable(bytes.subspan(8, 8));
    data.product = printable(bytes.subspan(16, 16));
  }
  return data;
}

std::string device_type_name(std::uint8_t device_type) {
  switch (device_type) {
    case 0x00:
      return "disk";
    case 0x01:
      return "tape";
    case 0x05:
      return "CD or DVD drive";
    case 0x08:
      return "media changer";
    case 0x0c:
      return "storage array controller";
    case 0x0d:
      return "enclosure services device";
    default:
      return fmt::format("device of type {:#04x}", device_type);
  }
}

ConstByteSpan parse_vpd(ConstByteSpan bytes, std::uint8_t page) {
  const std::uint8_t found = byte_at(bytes, 1);
  if (found != page) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("asked for VPD page {:#04x}, the target sent {:#04x}", page, found));
  }
  const std::size_t length = load_be<std::uint16_t>(bytes, 2);
  const ConstByteSpan rest = bytes.subspan(kVpdHeader);
  return rest.first(std::min(length, rest.size()));
}

std::optional<std::uint64_t> parse_reservation_key(ConstByteSpan bytes) {
  constexpr std::size_t kLengthAt = 4;
  constexpr std::size_t kKeyAt = 8;
  constexpr std::uint32_t kOneReservation = 16;
  if (bytes.size() < kKeyAt + sizeof(std::uint64_t)) return std::nullopt;
  if (load_be<std::uint32_t>(bytes, kLengthAt) < kOneReservation) return std::nullopt;
  return load_be<std::uint64_t>(bytes, kKeyAt);
}

std::string parse_serial(ConstByteSpan payload) { return printable(payload); }

std::string parse_designator(ConstByteSpan payload) {
  constexpr std::size_t kHeader = 4;
  constexpr std::uint8_t kBinary = 1;
  std::string best;
  int best_rank = 0;
  while (payload.size() >= kHeader) {
    const std::size_t length = byte_at(payload, 3);
    if (length > payload.size() - kHeader) break;
    const ConstByteSpan name = payload.subspan(kHeader, length);
    const unsigned association = (byte_at(payload, 1) >> 4U) & 3U;  // 0 = the LUN itself
    const int rank = rank_of(byte_at(payload, 1) & 0x0fU);
    if (association == 0 && rank > best_rank && !name.empty()) {
      best = (byte_at(payload, 0) & 0x0fU) == kBinary ? hex(name) : printable(name);
      best_rank = best.empty() ? best_rank : rank;
    }
    payload = payload.subspan(kHeader + length);
  }
  return best;
}

BlockLimits parse_block_limits(ConstByteSpan payload) {
  // Offsets without the page's header. Older targets send a shorter page: what is missing is 0.
  std::array<std::byte, 60> page{};
  std::copy_n(payload.begin(), std::min(payload.size(), page.size()), page.begin());
  const ConstByteSpan bytes(page);
  BlockLimits limits;
  limits.max_compare_and_write = byte_at(bytes, 1);
  limits.max_transfer = load_be<std::uint32_t>(bytes, 4);
  limits.max_unmap_blocks = load_be<std::uint32_t>(bytes, 16);
  limits.max_unmap_runs = load_be<std::uint32_t>(bytes, 20);
  limits.max_write_same = load_be<std::uint64_t>(bytes, 32);
  return limits;
}

Provisioning parse_provisioning(ConstByteSpan payload) {
  return {.unmap = bit_at(payload, 1, 7), .write_same_unmap = bit_at(payload, 1, 6)};
}

Capacity parse_capacity(ConstByteSpan bytes) {
  const auto last_lba = load_be<std::uint64_t>(bytes, 0);
  Capacity capacity;
  capacity.block_size = load_be<std::uint32_t>(bytes, 8);
  if (capacity.block_size == 0) {
    throw Error(ErrorKind::kCorrupt, "the target tells a block size of 0");
  }
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (last_lba == kMax || last_lba + 1 > kMax / capacity.block_size) {
    throw Error(ErrorKind::kCorrupt, fmt::format("the target tells {} blocks of {} bytes, more "
                                                 "than 64 bits count",
                                                 last_lba, capacity.block_size));
  }
  capacity.blocks = last_lba + 1;
  capacity.protection = bit_at(bytes, 12, 0);
  const std::uint32_t exponent =
      std::min<std::uint32_t>(byte_at(bytes, 13) & 0x0fU, kMaxPhysicalExponent);
  capacity.physical_block_size = capacity.block_size;
  if (capacity.block_size <= std::numeric_limits<std::uint32_t>::max() >> exponent) {
    capacity.physical_block_size = capacity.block_size << exponent;
  }
  capacity.thin = bit_at(bytes, 14, 7);
  capacity.unmapped_reads_zero = bit_at(bytes, 14, 6);
  return capacity;
}

CacheMode parse_cache_mode(ConstByteSpan bytes) {
  constexpr std::size_t kHeader = 4;
  constexpr std::uint8_t kCachingPage = 0x08;
  CacheMode mode;
  mode.write_protected = bit_at(bytes, 2, 7);
  mode.fua = bit_at(bytes, 2, 4);
  const std::size_t page = kHeader + byte_at(bytes, 3);  // block descriptors although DBD is set
  if (page + 3 <= bytes.size() && (byte_at(bytes, page) & 0x3fU) == kCachingPage) {
    mode.write_cache = bit_at(bytes, page + 2, 2);
  }
  return mode;
}

std::vector<std::uint16_t> parse_luns(ConstByteSpan bytes) {
  constexpr std::size_t kHeader = 8;
  constexpr std::size_t kEntry = 8;
  const std::size_t told = load_be<std::uint32_t>(bytes, 0);
  const ConstByteSpan list = sub_span(
      bytes, kHeader, bytes.size() < kHeader ? kHeader : std::min(told, bytes.size() - kHeader));
  std::vector<std::uint16_t> luns;
  for (std::size_t at = 0; at + kEntry <= list.size(); at += kEntry) {
    const auto first = load_be<std::uint16_t>(list, at);
    const unsigned method = first >> 14U;  // 0 = peripheral device, 1 = flat space
    const bool bus_zero = (first & 0x3f00U) == 0;
    if (method == 1 || (method == 0 && bus_zero)) {
      luns.push_back(static_cast<std::uint16_t>(first & 0x3fffU));
    }
  }
  return luns;
}

std::vector<LbaState> parse_lba_status(ConstByteSpan bytes, std::uint64_t lba) {
  constexpr std::size_t kHeader = 8;
  constexpr std::size_t kEntry = 16;
  constexpr std::uint8_t kDeallocated = 1;
  std::vector<LbaState> states;
  for (std::size_t at = kHeader; at + kEntry <= bytes.size(); at += kEntry) {
    const auto first = load_be<std::uint64_t>(bytes, at);
    const auto count = load_be<std::uint32_t>(bytes, at + 8);
    // The first run may begin before the question; each later one where the last one ended.
    if (first > lba || (first != lba && !states.empty())) break;
    if (count <= lba - first || lba > std::numeric_limits<std::uint64_t>::max() - count) break;
    const std::uint64_t blocks = count - (lba - first);
    states.push_back({blocks, (byte_at(bytes, at + 12) & 0x0fU) == kDeallocated});
    lba += blocks;
  }
  return states;
}

}  // namespace lunfs::iscsi
