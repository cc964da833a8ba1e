#include "iscsi/initiator_name.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include "base/error.h"
#include "iscsi/iqn.h"

namespace lunfs::iscsi {

namespace {

constexpr const char* kSystemFile = "/etc/iscsi/initiatorname.iscsi";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<std::string> places() {
  std::vector<std::string> files;
  if (geteuid() != 0) {
    std::string config = environment("XDG_CONFIG_HOME");
    if (config.empty()) config = environment("HOME") + "/.config";
    files.push_back(config + "/lunfs/initiatorname.iscsi");
  }
  files.emplace_back(kSystemFile);
  return files;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The last InitiatorName= line, as open-iscsi reads it; lines that begin with # are comments.
std::optional<std::string> name_in(const std::string& path) {
  std::ifstream file(path);
  std::optional<std::string> name;
  std::string line;
  constexpr std::string_view kKey = "InitiatorName=";
  while (std::getline(file, line)) {
    const std::string text = trimmed(line);
    if (text.starts_with(kKey)) name = trimmed(text.substr(kKey.size()));
  }
  return name;
}

InitiatorName name_of_machine() {
  std::ifstream file("/etc/machine-id");
  std::string id;
  std::getline(file, id);
  if (id.empty()) {
    std::vector<char> host(256);
    gethostname(host.data(), host.size() - 1);
    id = host.data();
  }
  const std::string key = "lunfs initiator " + id;
  const auto hash = static_cast<unsigned>(XXH3_64bits(key.data(), key.size()) >> 32U);
  return {fmt::format("iqn.2026-11.com.example:{:08x}", hash), "this machine's id"};
}

}  // namespace

InitiatorName initiator_name_of_host() {
  for (const std::string& path : places()) {
    const std::optional<std::string> name = name_in(path);
    if (!name) continue;
    try {
      return {Iqn::parse(*name).text(), path};
    } catch (Error& error) {
      error.add_context(path);
      throw;
    }
  }
  return name_of_machine();
}

}  // namespace lunfs::iscsi
