#include "base/directories.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lunfs {

namespace {

/// What mount.fuse3 sets where there is no HOME.
constexpr const char* kRootsHome = "/root";

/// As getpwuid(3) has it.
std::optional<std::string> home_of(uid_t user) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr ||
      found->pw_dir == nullptr || found->pw_dir[0] != '/') {
    return std::nullopt;
  }
  return found->pw_dir;
}

}  // namespace

std::optional<std::string> directory_in_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || value[0] != '/') return std::nullopt;
  return value;
}

std::optional<std::string> home_directory() {
  const uid_t user = geteuid();
  auto home = directory_in_environment("HOME");
  if (home && (user == 0 || *home != kRootsHome)) return home;
  return home_of(user);
}

std::optional<std::string> config_home() {
  if (auto config = directory_in_environment("XDG_CONFIG_HOME")) return config;
  if (const auto home = home_directory()) return *home + "/.config";
  return std::nullopt;
}

}  // namespace lunfs
