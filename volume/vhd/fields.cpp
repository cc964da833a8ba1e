#include "volume/vhd/fields.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace lunfs::vhd {

namespace {

constexpr std::uint32_t kFirstHighSurrogate = 0xD800;
constexpr std::uint32_t kFirstLowSurrogate = 0xDC00;
constexpr std::uint32_t kEndOfSurrogates = 0xE000;
constexpr std::uint32_t kFirstBeyondOneUnit = 0x10000;
constexpr std::uint32_t kEndOfUnicode = 0x110000;

constexpr bool is_control(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

constexpr bool is_surrogate(std::uint32_t point) {
  return point >= kFirstHighSurrogate && point < kEndOfSurrogates;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
    return;
  }
  if (point < 0x800) {
    put(0xC0U | (point >> 6U));
  } else if (point < kFirstBeyondOneUnit) {
    put(0xE0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3FU));
  } else {
    put(0xF0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3FU));
    put(0x80U | ((point >> 6U) & 0x3FU));
  }
  put(0x80U | (point & 0x3FU));
}

/// How a first byte of UTF-8 goes on.
struct Lead {
  std::size_t more = 0;      ///< bytes that follow
  std::uint32_t bits = 0;    ///< the first byte's part of the character
  std::uint32_t lowest = 0;  ///< a smaller character has a shorter form
};

std::optional<Lead> lead_of(std::uint32_t byte) {
  if (byte < 0x80) return Lead{0, byte, 0};
  if (byte >= 0xC0 && byte < 0xE0) return Lead{1, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return Lead{2, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF8) return Lead{3, byte & 0x07U, kFirstBeyondOneUnit};
  return std::nullopt;
}

/// The character at `at`, which moves behind it; nullopt if there is none.
std::optional<std::uint32_t> next_character(ConstByteSpan bytes, std::size_t& at) {
  const std::optional<Lead> lead = lead_of(std::to_integer<std::uint32_t>(bytes[at]));
  if (!lead || bytes.size() - at <= lead->more) return std::nullopt;
  std::uint32_t point = lead->bits;
  for (std::size_t i = 1; i <= lead->more; ++i) {
    const auto byte = std::to_integer<std::uint32_t>(bytes[at + i]);
    if ((byte & 0xC0U) != 0x80U) return std::nullopt;
    point = (point << 6U) | (byte & 0x3FU);
  }
  if (point < lead->lowest || point >= kEndOfUnicode || is_surrogate(point)) return std::nullopt;
  at += 1 + lead->more;
  return point;
}

}  // namespace

std::string printable(ConstByteSpan bytes) {
  std::string text;
  for (const char c : as_text(bytes)) text.push_back(c >= 0x20 && c < 0x7F ? c : '.');
  return text;
}

Uuid load_uuid(ConstByteSpan bytes, std::uint64_t offset) {
  std::array<std::uint8_t, 16> uuid{};
  std::memcpy(uuid.data(), sub_span(bytes, offset, uuid.size()).data(), uuid.size());
  return Uuid(uuid);
}

std::optional<std::string> utf8_of_utf16(ConstByteSpan bytes, ByteOrder order) {
  std::string text;
  for (std::uint64_t at = 0; at < bytes.size(); at += 2) {
    if (bytes.size() - at < 2) return std::nullopt;
    std::uint32_t point = load<std::uint16_t>(bytes, at, order);
    if (point == 0) break;
    if (is_surrogate(point)) {
      if (point >= kFirstLowSurrogate || bytes.size() - at < 4) return std::nullopt;
      const std::uint32_t low = load<std::uint16_t>(bytes, at + 2, order);
      if (low < kFirstLowSurrogate || low >= kEndOfSurrogates) return std::nullopt;
      point =
          kFirstBeyondOneUnit + ((point - kFirstHighSurrogate) << 10U) + (low - kFirstLowSurrogate);
      at += 2;
    }
    if (is_control(point)) return std::nullopt;
    append_utf8(text, point);
  }
  return text;
}

std::optional<std::string> checked_utf8(ConstByteSpan bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] != std::byte{0}) {
    const std::optional<std::uint32_t> point = next_character(bytes, at);
    if (!point || is_control(*point)) return std::nullopt;
  }
  return std::string(as_text(bytes.first(at)));
}

}  // namespace lunfs::vhd
