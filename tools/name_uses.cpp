#include "tools/name_uses.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "host/control_client.h"
#include "host/mount_status.h"
#include "iscsi/kernel_sessions.h"

namespace lunfs::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLimitOfOne{2};
constexpr std::chrono::seconds kLimitOfAll{10};
constexpr std::size_t kMaxSessionsOfMount = 64;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t pid_in(const Json& object) {
  const auto found = object.find("pid");
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// Mounts whose daemon has told, with its user: nobody speaks for the mount of somebody else.
using Told = std::set<std::pair<std::string, uid_t>>;

/// What a daemon says of itself. It may be any user's program: every field is optional.
void add_sessions(const Json& answer, uid_t owner, std::vector<NameUse>& uses, Told& told) {
  const std::string mount_point = text_at(answer, "mount_point");
  const auto sessions = answer.find("sessions");
  if (mount_point.empty() || sessions == answer.end() || !sessions->is_array()) return;
  told.emplace(mount_point, owner);
  std::size_t count = 0;
  for (const Json& session : *sessions) {
    if (!session.is_object() || ++count > kMaxSessionsOfMount) continue;
    uses.push_back({.kind = NameUse::Kind::kMount,
                    .where = mount_point,
                    .pid = pid_in(answer),
                    .initiator = lower_case(text_at(session, "initiator")),
                    .target = text_at(session, "target"),
                    .portal = text_at(session, "portal"),
                    .state = text_at(session, "state"),
                    .isid = {}});
  }
}

/// Asks every mount that has a socket.
void ask_sockets(const NameUseSources& sources, Clock::time_point deadline,
                 std::vector<NameUse>& uses, Told& told) {
  for (const std::string& socket : sources.control_sockets) {
    if (Clock::now() >= deadline) return;
    const std::optional<std::string> text = host::ask_daemon(socket, "sessions", kLimitOfOne);
    struct stat status {};
    if (!text || lstat(socket.c_str(), &status) != 0) continue;
    const Json answer = Json::parse(*text, nullptr, false);
    if (answer.is_object()) add_sessions(answer, status.st_uid, uses, told);
  }
}

/// The file of a mount without a socket; false if it does not tell either.
bool ask_file(const host::MountEntry& mount, uid_t owner, Clock::time_point deadline,
              std::vector<NameUse>& uses, Told& told) {
  if (owner != geteuid() || Clock::now() >= deadline) return false;
  try {
    add_sessions(host::ask_mount_for_status(mount.mount_point, kLimitOfOne), owner, uses, told);
  } catch (const Error&) {  // it hangs, has died, or is no mount any more
  }
  return told.contains({mount.mount_point, owner});
}

uid_t owner_of(const host::MountEntry& mount) {
  const std::string text = mount.option("user_id").value_or("0");
  uid_t owner = 0;
  std::from_chars(text.data(), text.data() + text.size(), owner);
  return owner;
}

/// Mounts of which no daemon has told anything by its socket.
void add_other_mounts(const NameUseSources& sources, Clock::time_point deadline,
                      std::vector<NameUse>& uses, Told& told) {
  for (const host::MountEntry& mount : sources.mounts) {
    if (mount.type != host::kMountType || mount.source.starts_with('/')) continue;
    const uid_t owner = owner_of(mount);
    if (sources.uid != 0 && owner != sources.uid) continue;
    if (told.contains({mount.mount_point, owner})) continue;
    if (ask_file(mount, owner, deadline, uses, told)) continue;
    uses.push_back({.kind = NameUse::Kind::kMount,
                    .where = mount.mount_point,
                    .pid = 0,
                    .initiator = {},
                    .target = mount.source,
                    .portal = {},
                    .state = "does not tell",
                    .isid = {}});
  }
}

void add_kernel_sessions(const NameUseSources& sources, std::vector<NameUse>& uses) {
  for (iscsi::KernelSession& session : iscsi::kernel_sessions(sources.sysfs)) {
    uses.push_back({.kind = NameUse::Kind::kKernelSession,
                    .where = std::move(session.id),
                    .pid = 0,
                    .initiator = lower_case(session.initiator),
                    .target = std::move(session.target),
                    .portal = std::move(session.portal),
                    .state = std::move(session.state),
                    .isid = std::move(session.isid)});
  }
}

}  // namespace

NameUseSources NameUseSources::of_this_host() {
  return {.control_sockets = host::control_sockets(),
          .mounts = host::all_mounts(),
          .sysfs = "/sys",
          .uid = geteuid()};
}

std::vector<NameUse> find_name_uses(const NameUseSources& sources) {
  const Clock::time_point deadline = Clock::now() + kLimitOfAll;
  std::vector<NameUse> uses;
  Told told;
  ask_sockets(sources, deadline, uses, told);
  add_other_mounts(sources, deadline, uses, told);
  add_kernel_sessions(sources, uses);
  return uses;
}

Json to_json(std::span<const NameUse> uses) {
  Json all = Json::array();
  for (const NameUse& use : uses) {
    Json one = {{"kind", use.kind == NameUse::Kind::kMount ? "lunfs" : "kernel"}};
    if (use.pid != 0) one["pid"] = use.pid;
    const std::pair<const char*, const std::string&> fields[] = {
        {"where", use.where},   {"initiator", use.initiator}, {"target", use.target},
        {"portal", use.portal}, {"state", use.state},         {"isid", use.isid}};
    for (const auto& [key, value] : fields) {
      if (!value.empty()) one[key] = value;
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<NameUse> uses_of(std::string_view name, std::span<const NameUse> uses) {
  std::vector<NameUse> found;
  std::copy_if(uses.begin(), uses.end(), std::back_inserter(found),
               [name](const NameUse& use) { return use.may_use(name); });
  return found;
}

}  // namespace lunfs::tools
