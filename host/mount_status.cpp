#include "host/mount_status.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/call_within.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "host/control_client.h"
#include "host/mount_table.h"

namespace lunfs::host {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

/// For a daemon that may be another mount's.
constexpr seconds kShortTurn{1};
constexpr std::size_t kPieceBytes = 64U << 10U;
constexpr std::size_t kMaxStatusBytes = 64U << 20U;

Error no_answer(const std::string& mount_point, seconds limit) {
  return Error(ErrorKind::kTimedOut,
               fmt::format("{}: the daemon did not answer for {} s", mount_point, limit.count()))
      .because("it is stopped, or hangs")
      .advise("look at its log; one that hangs for good goes with kill -9 and umount -l");
}

/// One answer of a daemon.
struct Answer {
  std::optional<Json> status;  ///< of the mount; none if it is another's, or unreadable
  bool silent = false;         ///< nothing came in time
};

Answer ask(const std::string& socket, const std::string& mount_point, seconds limit) {
  const std::optional<std::string> line = ask_daemon(socket, "status", limit);
  if (!line) return {.status = {}, .silent = errno == ETIMEDOUT};
  Json answer = Json::parse(*line, nullptr, false);
  if (!answer.is_object()) return {};
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) return {};
  const auto at = status->find("mount_point");
  if (at == status->end() || *at != mount_point) return {};
  return {.status = std::move(*status)};
}

/// The sockets among which the mount's is: those of its owner, and all for root.
std::vector<std::string> sockets_of(const std::string& owner) {
  std::vector<std::string> sockets = control_sockets();
  const std::string others = fmt::format("/run/user/{}/", owner);
  if (owner != std::to_string(geteuid())) {
    std::erase_if(sockets, [&](const std::string& path) { return !path.starts_with(others); });
  }
  return sockets;
}

/// A file's content, or the errno of what failed.
struct Content {
  std::string text{};
  int failure = 0;
};

Content content_of(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {.text = {}, .failure = errno};
  Content content;
  std::vector<char> buffer(kPieceBytes);
  while (content.text.size() < kMaxStatusBytes) {
    const ssize_t length = read(file.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) content.failure = errno;
    if (length <= 0) break;
    content.text.append(buffer.data(), static_cast<std::size_t>(length));
  }
  return content;
}

Error no_status(const std::string& mount_point, const std::string& owner, int failure) {
  const std::string what = fmt::format("{}: the mount tells no status", mount_point);
  if (failure == EACCES) {
    return Error(ErrorKind::kPermission, what)
        .because(fmt::format("it lets nobody in but uid {}, and its control socket is not in "
                             "/run/user/{}/lunfs",
                             owner, owner))
        .advise("ask as that user");
  }
  return Error(ErrorKind::kIo, what)
      .because("its daemon has died")
      .advise(fmt::format("umount -l {}, then mount again", mount_point));
}

/// The file through the mount, which a daemon that hangs would not answer.
Json status_by_file(const std::string& mount_point, const std::string& owner, seconds limit) {
  const std::optional<Content> content =
      call_within(limit, [path = mount_point + "/.lunfs/status.json"] { return content_of(path); });
  if (!content) throw no_answer(mount_point, limit);
  Json status = Json::parse(content->text, nullptr, false);
  if (!status.is_object()) throw no_status(mount_point, owner, content->failure);
  return status;
}

}  // namespace

Json ask_mount_for_status(const std::string& mount_point, seconds limit) {
  const std::optional<MountEntry> mount = find_mount(mount_point);
  if (!mount || mount->type != kMountType) {
    throw Error(ErrorKind::kNotFound, fmt::format("{}: no lunfs is mounted there", mount_point))
        .advise("findmnt -t fuse.lunfs lists the mounts");
  }
  const std::string owner = mount->option("user_id").value_or("0");
  if (geteuid() != 0 && owner != std::to_string(geteuid())) {
    throw Error(ErrorKind::kPermission, fmt::format("{}: the mount of another user", mount_point))
        .because(fmt::format("uid {} has mounted it", owner))
        .advise("ask as that user or as root");
  }
  const auto deadline = Clock::now() + limit;
  const auto time_left = [&deadline] {
    return std::max(std::chrono::ceil<seconds>(deadline - Clock::now()), seconds(0));
  };
  // Which socket is the mount's only its answer tells, and the daemon of another mount may hang: a
  // short turn for each, then a long one for those that did not answer.
  std::vector<std::string> sockets = sockets_of(owner);
  for (const seconds turn : {kShortTurn, limit}) {
    std::vector<std::string> silent;
    for (const std::string& socket : sockets) {
      Answer answer = ask(socket, mount_point, std::min(turn, time_left()));
      if (answer.status) return *std::move(answer.status);
      if (answer.silent) silent.push_back(socket);
    }
    sockets = std::move(silent);
  }
  if (!sockets.empty()) throw no_answer(mount_point, limit);
  return status_by_file(mount_point, owner, std::max(time_left(), kShortTurn));
}

}  // namespace lunfs::host
