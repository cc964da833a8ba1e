#include "base/uuid.h"

#include <fmt/format.h>

namespace lunfs {

namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_dash_place(std::size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

bool in_lvm_alphabet(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '!' ||
         c == '#';
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) noexcept {
  if (text.size() != kTextLength) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = bytes[digits / 2];
    byte = static_cast<std::uint8_t>(byte * 16 + value);
    ++digits;
  }
  return Uuid(bytes);
}

std::string Uuid::text() const {
  std::string result;
  result.reserve(kTextLength);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) result += '-';
    result += fmt::format("{:02x}", bytes_[i]);
  }
  return result;
}

std::optional<LvmUuid> LvmUuid::parse(std::string_view text) noexcept {
  LvmUuid uuid;
  std::size_t count = 0;
  for (const char c : text) {
    if (c == '-') continue;
    if (count == kLength || !in_lvm_alphabet(c)) return std::nullopt;
    uuid.chars_[count++] = c;
  }
  if (count != kLength) return std::nullopt;
  return uuid;
}

std::string LvmUuid::text() const {
  const std::string_view all = compact();
  return fmt::format("{}-{}-{}-{}-{}-{}-{}", all.substr(0, 6), all.substr(6, 4), all.substr(10, 4),
                     all.substr(14, 4), all.substr(18, 4), all.substr(22, 4), all.substr(26, 6));
}

}  // namespace lunfs
