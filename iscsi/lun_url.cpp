#include "iscsi/lun_url.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "base/error.h"

namespace lunfs::iscsi {

namespace {

constexpr std::string_view kScheme = "iscsi://";
constexpr std::size_t kMaxHostBytes = 253;
constexpr std::size_t kMaxUserBytes = 255;  // what libiscsi keeps of a CHAP name
constexpr std::uint16_t kMaxLun = 16383;

// No message of this file repeats the text: a misplaced secret may stand anywhere in it.
[[noreturn]] void refuse(std::string fault) {
  throw Error(ErrorKind::kUsage, std::move(fault))
      .advise("write iscsi://[user@]host[:port]/target-iqn/lun");
}

[[noreturn]] void refuse_portal(std::string fault) {
  throw Error(ErrorKind::kUsage, std::move(fault))
      .because("the name of the host or the port is misspelt")
      .advise("write the portal as host[:port], an IPv6 address in brackets: [2001:db8::1]:3260");
}

[[noreturn]] void refuse_secret() {
  throw Error(ErrorKind::kUsage, "the iSCSI URL holds a password or a query")
      .because("everybody on this machine can read the arguments of a command")
      .advise(
          "take it out of the URL and put username and password into a credentials file of "
          "mode 0600: -o credentials=FILE, or ~/.config/lunfs/credentials, or "
          "/etc/lunfs/credentials");
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// Decimal digits only, at most `max`.
std::optional<std::uint16_t> parse_number(std::string_view text, std::uint16_t max) noexcept {
  constexpr std::size_t kMaxDigits = 5;
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.empty() || text.size() > kMaxDigits) return std::nullopt;
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (value > max) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

bool is_host_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

/// An IPv6 literal, with or without a %zone.
bool is_ipv6(std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string address(text.substr(0, percent));
  in6_addr ignored{};
  if (inet_pton(AF_INET6, address.c_str(), &ignored) != 1) return false;
  if (percent == std::string_view::npos) return true;
  const std::string_view zone = text.substr(percent + 1);
  return !zone.empty() && std::all_of(zone.begin(), zone.end(), is_host_char);
}

void check_name_or_ipv4(std::string_view host) {
  if (host.empty()) refuse_portal("the portal has no host name");
  if (host.size() > kMaxHostBytes) {
    refuse_portal(
        fmt::format("the host name is longer than {} bytes ({})", kMaxHostBytes, host.size()));
  }
  if (!std::all_of(host.begin(), host.end(), is_host_char)) {
    refuse_portal("the host name holds a character that no host name has");
  }
}

void check_user(std::string_view user) {
  if (user.empty()) refuse("the iSCSI URL has an empty user name in front of the '@'");
  if (user.size() > kMaxUserBytes) {
    refuse(fmt::format("the user name is longer than {} bytes", kMaxUserBytes));
  }
  const bool printable = std::all_of(user.begin(), user.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (!printable) refuse("the user name holds a space or a control character");
}

}  // namespace

PortalAddress PortalAddress::parse(std::string_view text) {
  PortalAddress portal;
  std::string_view port;
  bool has_port = false;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) refuse_portal("the portal has '[' without ']'");
    portal.host = text.substr(1, close - 1);
    if (!is_ipv6(portal.host)) refuse_portal("what stands in brackets is not an IPv6 address");
    const std::string_view rest = text.substr(close + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':')
      refuse_portal("something other than :port follows the ']'");
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos) {
      refuse_portal("the portal has more than one ':'; an IPv6 address stands in brackets");
    }
    portal.host = text.substr(0, colon);
    check_name_or_ipv4(portal.host);
  }
  if (has_port) {
    const auto number = parse_number(port, std::numeric_limits<std::uint16_t>::max());
    if (!number || *number == 0) refuse_portal("the port is not a number from 1 to 65535");
    portal.port = *number;
  }
  return portal;
}

std::string PortalAddress::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool LunUrl::looks_like_one(std::string_view text) noexcept {
  return equal_ignoring_case(text.substr(0, 6), "iscsi:");
}

LunUrl LunUrl::parse(std::string_view text) {
  if (!equal_ignoring_case(text.substr(0, kScheme.size()), kScheme)) {
    refuse("the iSCSI URL does not start with iscsi://");
  }
  text.remove_prefix(kScheme.size());
  if (text.find_first_of("?#") != std::string_view::npos) refuse_secret();

  std::optional<std::string> user;
  // The last '@', as a password may hold one and nothing behind the user name does.
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view name = text.substr(0, at);
    if (name.find_first_of(":%/@") != std::string_view::npos) refuse_secret();
    check_user(name);
    user = name;
    text.remove_prefix(at + 1);
  }

  const std::size_t host_end = text.find('/');
  if (host_end == std::string_view::npos) refuse("the iSCSI URL names no target");
  const std::size_t target_end = text.find('/', host_end + 1);
  if (target_end == std::string_view::npos) refuse("the iSCSI URL names no LUN");

  PortalAddress portal = PortalAddress::parse(text.substr(0, host_end));
  Iqn target = Iqn::parse(text.substr(host_end + 1, target_end - host_end - 1));
  const auto lun = parse_number(text.substr(target_end + 1), kMaxLun);
  if (!lun) refuse(fmt::format("the LUN is not a number from 0 to {}", kMaxLun));
  return {std::move(user), std::move(portal), std::move(target), *lun};
}

std::string LunUrl::text() const {
  return fmt::format("{}{}/{}/{}", kScheme, portal.text(), target.spelling(), lun);
}

}  // namespace lunfs::iscsi
