#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "iscsi/iqn.h"

namespace lunfs::iscsi {

/// host[:port] of a target; IPv6 literals in brackets.
struct PortalAddress {
  static constexpr std::uint16_t kDefaultPort = 3260;

  std::string host;  ///< without brackets
  std::uint16_t port = kDefaultPort;

  /// kUsage if the text is not host[:port] or [ipv6][:port].
  static PortalAddress parse(std::string_view text);
  /// host:port, with brackets where needed
  [[nodiscard]] std::string text() const;
  bool operator==(const PortalAddress&) const = default;
};

/// iscsi://[user@]host[:port]/target-iqn/lun
struct LunUrl {
  std::optional<std::string> user;
  PortalAddress portal;
  Iqn target;
  std::uint16_t lun = 0;  ///< 0 to 16383

  /// True if the text is meant as such a URL ("iscsi:" in front, any case).
  static bool looks_like_one(std::string_view text) noexcept;
  /// kUsage with the fault. A password in the URL (user%secret@ or user:secret@, or any ?query) is
  /// refused by a message that says where secrets go and does not repeat the text.
  static LunUrl parse(std::string_view text);
  /// The URL without the user: what logs and status show.
  [[nodiscard]] std::string text() const;
};

}  // namespace lunfs::iscsi
