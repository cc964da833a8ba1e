#include "iscsi/isid.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <charconv>
#include <cstddef>

#include "base/error.h"

namespace lunfs::iscsi {

namespace {

constexpr std::string_view kOpenIscsi = "open-iscsi";
constexpr std::string_view kOpenIscsisFirst = "00023d000000";
constexpr std::uint8_t kTypeMask = 0xc0;
constexpr std::uint8_t kTypeOui = 0x00;
constexpr std::uint8_t kTypeRandom = 0x80;
constexpr std::uint8_t kTypeReserved = 0xc0;

[[noreturn]] void refuse(std::string fault) {
  throw Error(ErrorKind::kUsage, "not an ISID: " + std::move(fault))
      .because("an ISID has 6 bytes, of which the first two bits are its type")
      .advise("write 12 hex digits, such as 00023d000000, or the word open-iscsi");
}

}  // namespace

Isid Isid::parse(std::string_view text) {
  std::string digits;
  for (const char c : text == kOpenIscsi ? kOpenIscsisFirst : text) {
    if (c != ':') digits += c;
  }
  std::array<std::uint8_t, 6> bytes{};
  if (digits.size() != 2 * bytes.size()) refuse(fmt::format("{} digits", digits.size()));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* first = digits.data() + 2 * i;
    const auto [end, failure] = std::from_chars(first, first + 2, bytes[i], 16);
    if (failure != std::errc() || end != first + 2) refuse("something other than hex digits");
  }
  const std::uint8_t type = bytes[0] & kTypeMask;
  if (type == kTypeReserved) refuse("its type is reserved");
  // libiscsi sends these bits as zeros.
  if (type != kTypeOui && (bytes[0] & ~kTypeMask) != 0) {
    refuse("behind its type there is more than zeros in the first byte");
  }
  return Isid(bytes);
}

Isid Isid::random() {
  std::array<std::uint8_t, 6> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorKind::kInternal, "the kernel gives no random numbers");
  }
  bytes[0] = kTypeRandom;
  return Isid(bytes);
}

std::string Isid::text() const {
  std::string text;
  for (const std::uint8_t byte : bytes_) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace lunfs::iscsi
