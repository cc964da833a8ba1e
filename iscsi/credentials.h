#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "iscsi/lun_url.h"

namespace lunfs::iscsi {

/// Of a CHAP name or secret: libiscsi cuts longer ones without a word.
inline constexpr std::size_t kMaxSecretBytes = 255;

/// CHAP names and secrets for one login; empty username = none.
struct Chap {
  std::string username;
  Secret password;
  std::string username_in;  ///< what the target must prove; empty = one-way
  Secret password_in;

  [[nodiscard]] bool offered() const noexcept { return !username.empty(); }
  [[nodiscard]] bool mutual() const noexcept { return !username_in.empty(); }
  /// Wipes the secrets and keeps the names: after a login.
  void forget_secrets() noexcept {
    password = {};
    password_in = {};
  }
  /// "none", "one-way" or "mutual".
  [[nodiscard]] std::string_view method() const noexcept {
    if (!offered()) return "none";
    return mutual() ? "mutual" : "one-way";
  }
};

/// The credentials file: ini sections named by target IQN, by host[:port], or "default"; keys
/// username, password, username_in, password_in and the same with discovery_ in front.
/// Page: docs/man/lunfs-credentials.5.md.
class Credentials {
 public:
  /// Parses the text; `name` stands in errors. kUsage with line number for anything unknown, for
  /// a name without its secret, and for mutual CHAP with two equal secrets (reflection). No error
  /// repeats a key or value.
  static Credentials parse(std::string_view text, std::string_view name);

  /// Reads the file: a regular file, owned by the caller or root, mode 0600 or 0400 at most (0440
  /// if root and root's group own it), else kPermission; kNotFound if it is not there.
  static Credentials load(const std::string& path);

  /// What to log in with: the section of the target, else of the portal (host:port, then host),
  /// else "default"; none: empty Chap. If `user` is given, a username that is found must be the
  /// same, else kUsage.
  [[nodiscard]] Chap for_login(const Iqn& target, const PortalAddress& portal,
                               const std::optional<std::string>& user) const;
  /// The same for discovery (keys discovery_*), by portal or "default".
  [[nodiscard]] Chap for_discovery(const PortalAddress& portal) const;

 private:
  struct Section {
    std::string name;
    Chap login;
    Chap discovery;
  };

  [[nodiscard]] const Section* find(std::string_view name) const noexcept;

  std::vector<Section> sections_;
};

/// Where credentials are looked for, in order: the option's file alone if given, else
/// $CREDENTIALS_DIRECTORY/lunfs, $XDG_CONFIG_HOME/lunfs/credentials (~/.config by default),
/// /etc/lunfs/credentials.
std::vector<std::string> credential_places(const std::optional<std::string>& option);

}  // namespace lunfs::iscsi
