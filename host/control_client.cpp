#include "host/control_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "host/mount_table.h"
#include "host/run_directory.h"

namespace lunfs::host {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// The status of thousands of volumes has some MiB.
constexpr std::size_t kLongestAnswer = 256U << 20U;
/// Sockets that are asked; there is one for each mount of a user.
constexpr std::size_t kMostSockets = 256;
constexpr milliseconds kShortTurn{1000};

milliseconds left_until(Clock::time_point deadline) {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - Clock::now()),
                  milliseconds(0));
}

Error no_answer(milliseconds limit) {
  return Error(ErrorKind::kTimedOut,
               fmt::format("the daemon of the mount did not answer for {} s", limit.count() / 1000))
      .because("it is stopped, or hangs")
      .advise("look at its log; a daemon that hangs for good goes with kill -9 and umount -l");
}

/// False when the time is over.
bool wait_for_input(int socket, Clock::time_point deadline) {
  while (true) {
    pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left_until(deadline).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) throw system_error(errno, "waiting for the daemon");
    if (ready == 0) return false;
  }
}

/// The control sockets in the run directory of `owner`; empty if it has none.
std::vector<std::string> sockets_of(uid_t owner) {
  const std::string directory =
      owner == geteuid() ? run_directory() : fmt::format("/run/user/{}/lunfs", owner);
  std::vector<std::string> sockets;
  if (directory.empty()) return sockets;
  std::error_code failure;
  for (auto entry = std::filesystem::directory_iterator(directory, failure);
       !failure && entry != std::filesystem::directory_iterator() && sockets.size() < kMostSockets;
       entry.increment(failure)) {
    if (entry->path().extension() == ".sock") sockets.push_back(entry->path().string());
  }
  return sockets;
}

/// What the daemon behind `path` says of itself; nullopt if it is not the mount's or has ended.
std::optional<Json> status_by(const std::string& path, uid_t owner, const std::string& mount_point,
                              milliseconds limit) {
  std::optional<ControlClient> client = ControlClient::connect(path, owner);
  if (!client) return std::nullopt;
  client->send("status");
  Json answer = client->receive(limit);
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) return std::nullopt;
  const auto at = status->find("mount_point");
  if (at == status->end() || *at != mount_point) return std::nullopt;
  return std::move(*status);
}

/// The file through the mount, which a daemon that hangs would not answer: on a thread that is left
/// behind then, until the program ends.
Json status_by_file(const std::string& mount_point, milliseconds limit) {
  std::packaged_task<std::string()> read([path = mount_point + "/.lunfs/status.json"] {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  });
  std::future<std::string> text = read.get_future();
  std::thread(std::move(read)).detach();
  if (text.wait_for(limit) != std::future_status::ready) throw no_answer(limit);
  Json status = Json::parse(text.get(), nullptr, false);
  if (!status.is_object()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: the mount tells no status", mount_point))
        .because("the daemon has died, or the mount is another user's")
        .advise(fmt::format("look at {}/.lunfs/status.json", mount_point));
  }
  return status;
}

}  // namespace

std::optional<ControlClient> ControlClient::connect(const std::string& path, uid_t owner) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  // Not blocking: the line in front of a daemon that does not accept is full some day.
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::nullopt;
  }
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.uid != owner) {
    return std::nullopt;
  }
  return ControlClient(std::move(socket));
}

void ControlClient::send(std::string_view command) {
  const std::string request = Json{{"id", 1}, {"command", command}}.dump() + "\n";
  // A new socket's buffer holds any command.
  if (::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw system_error(errno, "asking the daemon");
  }
}

Json ControlClient::receive(milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  std::array<char, 65536> buffer{};
  std::size_t end = input_.find('\n');
  while (end == std::string::npos) {
    if (!wait_for_input(socket_.get(), deadline)) throw no_answer(limit);
    const ssize_t length = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (length < 0) throw system_error(errno, "the daemon's answer");
    if (length == 0) throw Error(ErrorKind::kIo, "the daemon ended without a word");
    const std::size_t before = input_.size();
    input_.append(buffer.data(), static_cast<std::size_t>(length));
    if (input_.size() > kLongestAnswer) {
      throw Error(ErrorKind::kCorrupt, "the daemon's answer does not end");
    }
    end = input_.find('\n', before);
  }
  Json answer = Json::parse(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(end),
                            nullptr, false);
  input_.erase(0, end + 1);
  if (!answer.is_object()) {
    throw Error(ErrorKind::kCorrupt, "the daemon's answer is not a JSON object");
  }
  return answer;
}

Json ask_mount_for_status(const std::string& mount_point, milliseconds limit) {
  const std::optional<MountEntry> mount = find_mount(mount_point);
  if (!mount || mount->type != kMountType) {
    throw Error(ErrorKind::kNotFound, fmt::format("{}: no lunfs is mounted there", mount_point))
        .advise("findmnt -t fuse.lunfs lists the mounts");
  }
  if (geteuid() != 0 && mount->owner != geteuid()) {
    throw Error(ErrorKind::kPermission, fmt::format("{}: the mount of another user", mount_point))
        .because(fmt::format("it was mounted by uid {}", mount->owner))
        .advise("ask as that user or as root");
  }
  const auto deadline = Clock::now() + limit;
  // Which socket is the mount's only its answer tells, and the daemon of another mount may hang: a
  // short turn for each, then a long one for those that did not answer.
  std::vector<std::string> sockets = sockets_of(mount->owner);
  std::optional<Error> failure;
  for (const milliseconds turn : {kShortTurn, limit}) {
    failure.reset();
    std::vector<std::string> silent;
    for (const std::string& path : sockets) {
      try {
        const milliseconds time = std::min(turn, left_until(deadline));
        auto status = status_by(path, mount->owner, mount_point, time);
        if (status) return *std::move(status);
      } catch (const Error& error) {
        failure = error;
        if (error.kind() == ErrorKind::kTimedOut) silent.push_back(path);
      }
    }
    sockets = std::move(silent);
  }
  if (failure) throw *std::move(failure);
  return status_by_file(mount_point, left_until(deadline));
}

}  // namespace lunfs::host
