#include "iscsi/kernel_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

namespace lunfs::iscsi {

namespace {

namespace stdfs = std::filesystem;

constexpr std::size_t kMaxSessions = 4096;
constexpr std::string_view kSessionPrefix = "session";

/// The first line of an attribute; empty where the kernel has nothing to say.
std::string attribute(const stdfs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  // How the kernel prints a text that was never set.
  return line == "(null)" || line == "<NULL>" ? std::string() : line;
}

std::optional<unsigned> number_of(std::string_view name) {
  if (!name.starts_with(kSessionPrefix)) return std::nullopt;
  name.remove_prefix(kSessionPrefix.size());
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failure != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

/// lunfs and open-iscsi have one connection a session, whose number is 0.
std::string portal_of(const std::string& sysfs, unsigned session) {
  const stdfs::path connection =
      stdfs::path(sysfs) / "class/iscsi_connection" / fmt::format("connection{}:0", session);
  std::string host = attribute(connection / "persistent_address");
  std::string port = attribute(connection / "persistent_port");
  if (host.empty()) host = attribute(connection / "address");
  if (port.empty()) port = attribute(connection / "port");
  if (host.empty()) return {};
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return port.empty() ? host : host + ":" + port;
}

}  // namespace

std::vector<KernelSession> kernel_sessions(const std::string& sysfs) {
  const stdfs::path all = stdfs::path(sysfs) / "class/iscsi_session";
  std::error_code failure;
  std::vector<std::pair<unsigned, stdfs::path>> found;
  for (stdfs::directory_iterator entry(all, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const auto number = number_of(entry->path().filename().string());
    if (number && found.size() < kMaxSessions) found.emplace_back(*number, entry->path());
  }
  std::sort(found.begin(), found.end());
  std::vector<KernelSession> sessions;
  for (const auto& [number, path] : found) {
    sessions.push_back({.id = path.filename().string(),
                        .initiator = attribute(path / "initiatorname"),
                        .target = attribute(path / "targetname"),
                        .portal = portal_of(sysfs, number),
                        .state = attribute(path / "state"),
                        .isid = attribute(path / "isid")});
  }
  return sessions;
}

}  // namespace lunfs::iscsi
