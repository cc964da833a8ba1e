#include "iscsi/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/directories.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/text.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::string_view kDiscoveryPrefix = "discovery_";
constexpr std::string_view kKeys =
    "username, password, username_in, password_in, and the same with discovery_ in front";

/// Neither keys nor values are ever repeated: a line without '=' may be a secret on its own.
class LineError {
 public:
  explicit LineError(std::string_view name) : name_(name) {}
  void next_line() noexcept { ++line_; }
  [[nodiscard]] std::size_t line() const noexcept { return line_; }
  [[noreturn]] void refuse(std::string_view fault) const { refuse(line_, fault); }
  [[noreturn]] void refuse(std::size_t line, std::string_view fault) const {
    throw Error(ErrorKind::kUsage, fmt::format("{}:{}: {}", name_, line, fault))
        .advise(fmt::format("write [target-iqn], [host[:port]] or [default], then lines key = "
                            "value with the keys {}",
                            kKeys));
  }

 private:
  std::string_view name_;
  std::size_t line_ = 0;
};

std::string host_text(const PortalAddress& portal) {
  const bool ipv6 = portal.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]", portal.host) : portal.host;
}

/// The section name in the one spelling that lookups use.
std::string normal_name(std::string_view name, const LineError& place) {
  if (name == "default") return std::string(name);
  try {
    const std::string form = lower_case(name.substr(0, 4));
    if (form == "iqn." || form == "eui." || form == "naa.") return Iqn::parse(name).text();
    const PortalAddress portal = PortalAddress::parse(name);
    const std::string host = lower_case(host_text(portal));
    const bool has_port = name.size() > host.size();
    return has_port ? fmt::format("{}:{}", host, portal.port) : host;
  } catch (const Error& error) {
    place.refuse(
        fmt::format("the section is named by neither a target, nor a host, nor "
                    "\"default\" ({})",
                    error.message()));
  }
}

void set_key(Chap& chap, std::string_view key, std::string_view value, const LineError& place) {
  std::string* name = nullptr;
  Secret* secret = nullptr;
  if (key == "username") name = &chap.username;
  if (key == "password") secret = &chap.password;
  if (key == "username_in") name = &chap.username_in;
  if (key == "password_in") secret = &chap.password_in;
  if (name == nullptr && secret == nullptr) {
    place.refuse(fmt::format("unknown key; known are {}", kKeys));
  }
  if (name != nullptr ? !name->empty() : !secret->empty()) {
    place.refuse("the key was given before in this section");
  }
  if (value.empty()) place.refuse("the value is empty");
  if (value.size() > kMaxSecretBytes) {
    place.refuse(fmt::format("the value is longer than {} bytes", kMaxSecretBytes));
  }
  if (has_control_character(value)) place.refuse("the value holds a control character");
  if (name != nullptr) {
    *name = value;
  } else {
    *secret = Secret(value);
  }
}

void check_complete(const Chap& chap, std::string_view prefix, std::size_t line,
                    const LineError& place) {
  if (chap.username.empty() != chap.password.empty()) {
    place.refuse(line,
                 fmt::format("the section has only one of {0}username and {0}password", prefix));
  }
  if (chap.username_in.empty() != chap.password_in.empty()) {
    place.refuse(
        line, fmt::format("the section has only one of {0}username_in and {0}password_in", prefix));
  }
  if (chap.mutual() && !chap.offered()) {
    place.refuse(line, fmt::format("mutual CHAP ({0}username_in) needs {0}username and "
                                   "{0}password too",
                                   prefix));
  }
  // With one secret for both directions an impostor only has to send our challenge back to us.
  if (chap.mutual() && chap.password == chap.password_in) {
    place.refuse(line, fmt::format("{0}password and {0}password_in are equal; mutual CHAP proves "
                                   "nothing then",
                                   prefix));
  }
}

FileDescriptor open_private(const std::string& path) {
  // O_NONBLOCK: a FIFO of that name must not stop us.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    throw system_error(errno, path).advise("check the path and the mode of the credentials file");
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw system_error(errno, path);
  const auto refuse = [&](std::string fault, std::string remedy) {
    throw Error(ErrorKind::kPermission, fmt::format("{}: {}", path, fault))
        .because("others could read or change the secrets in it")
        .advise(std::move(remedy));
  };
  if (!S_ISREG(status.st_mode)) refuse("not a regular file", "name a regular file of mode 0600");
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    refuse(fmt::format("owned by uid {}, neither by root nor by the caller (uid {})", status.st_uid,
                       geteuid()),
           fmt::format("chown it to uid {}", geteuid()));
  }
  // systemd gives a service its credentials as a file of root with an ACL for the service's user;
  // the mask of the ACL stands where the group's mode does.
  const bool with_acl =
      status.st_uid == 0 && status.st_gid == 0 && (status.st_mode & 07777U) == 0440U;
  if ((status.st_mode & 07177U) != 0 && !with_acl) {
    refuse(fmt::format("mode {:04o}, but 0600 or 0400 is needed", status.st_mode & 07777U),
           fmt::format("chmod 600 {}", path));
  }
  return fd;
}

/// The text of the file, in `buffer`.
std::string_view read_all(int fd, std::span<char> buffer, const std::string& path) {
  std::size_t length = 0;
  while (length < buffer.size()) {
    const ssize_t count = ::read(fd, buffer.data() + length, buffer.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error(errno, path);
    if (count == 0) return {buffer.data(), length};
    length += static_cast<std::size_t>(count);
  }
  throw Error(ErrorKind::kUsage, fmt::format("{}: longer than {} bytes", path, kMaxFileBytes));
}

}  // namespace

Credentials Credentials::parse(std::string_view text, std::string_view name) {
  Credentials result;
  LineError place(name);
  std::size_t section_line = 0;
  const auto end_section = [&] {
    if (result.sections_.empty()) return;
    check_complete(result.sections_.back().login, "", section_line, place);
    check_complete(result.sections_.back().discovery, kDiscoveryPrefix, section_line, place);
  };
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    place.next_line();
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']') place.refuse("the section's name does not end with ']'");
      end_section();
      Section section;
      section.name = normal_name(trimmed(line.substr(1, line.size() - 2)), place);
      if (result.find(section.name) != nullptr) place.refuse("the section was there before");
      result.sections_.push_back(std::move(section));
      section_line = place.line();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) place.refuse("neither [section] nor key = value");
    if (result.sections_.empty()) place.refuse("a key stands in front of the first [section]");
    std::string_view key = trimmed(line.substr(0, equals));
    const bool discovery = key.starts_with(kDiscoveryPrefix);
    if (discovery) key.remove_prefix(kDiscoveryPrefix.size());
    Section& section = result.sections_.back();
    set_key(discovery ? section.discovery : section.login, key, trimmed(line.substr(equals + 1)),
            place);
  }
  end_section();
  return result;
}

Credentials Credentials::load(const std::string& path) {
  const FileDescriptor fd = open_private(path);
  const SecretBuffer buffer(kMaxFileBytes + 1);
  return parse(read_all(fd.get(), buffer.bytes(), path), path);
}

const Credentials::Section* Credentials::find(std::string_view name) const noexcept {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const Section& section) { return section.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

Chap Credentials::for_login(const Iqn& target, const PortalAddress& portal,
                            const std::optional<std::string>& user) const {
  const std::array<std::string, 4> places = {target.text(), lower_case(portal.text()),
                                             lower_case(host_text(portal)), "default"};
  Chap chap;
  for (const std::string& place : places) {
    const Section* section = find(place);
    if (section == nullptr || !section->login.offered()) continue;
    chap = section->login;
    break;
  }
  if (user && chap.offered() && *user != chap.username) {
    throw Error(ErrorKind::kUsage, fmt::format("the URL names user {}, the credentials are for {}",
                                               *user, chap.username))
        .because("the section that was found is another user's")
        .advise("take the user out of the URL, or give the target a section with this user");
  }
  return chap;
}

Chap Credentials::for_discovery(const PortalAddress& portal) const {
  const std::array<std::string, 3> places = {lower_case(portal.text()),
                                             lower_case(host_text(portal)), "default"};
  for (const std::string& place : places) {
    const Section* section = find(place);
    if (section != nullptr && section->discovery.offered()) return section->discovery;
  }
  return {};
}

std::vector<std::string> credential_places(const std::optional<std::string>& option) {
  if (option) return {*option};
  std::vector<std::string> places;
  if (const auto dir = directory_in_environment("CREDENTIALS_DIRECTORY")) {
    places.push_back(*dir + "/lunfs");
  }
  if (const auto config = config_home()) places.push_back(*config + "/lunfs/credentials");
  places.emplace_back("/etc/lunfs/credentials");
  return places;
}

}  // namespace lunfs::iscsi
