#include "base/directories.h"

#include <cstdlib>

namespace lunfs {

std::optional<std::string> directory_in_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || value[0] != '/') return std::nullopt;
  return value;
}

std::optional<std::string> config_home() {
  if (auto config = directory_in_environment("XDG_CONFIG_HOME")) return config;
  if (auto home = directory_in_environment("HOME")) return *home + "/.config";
  return std::nullopt;
}

}  // namespace lunfs
