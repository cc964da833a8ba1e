#include "fs/unmount.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "fs/mount_removal.h"
#include "host/control_client.h"
#include "host/mount_table.h"

namespace lunfs::fs {

namespace {

using Json = nlohmann::ordered_json;

/// Longer than any timeout of a daemon that still has something to flush.
constexpr std::chrono::seconds kEndLimit{300};

/// Whether a lunfs is mounted on exactly this directory, on top of whatever else is.
bool is_lunfs_mount(const std::string& mount_point) {
  const auto mount = host::find_mount(mount_point);
  return mount && mount->type == host::kMountType;
}

/// How the daemon of a mount can be asked; what is missing in its status stays empty.
struct Daemon {
  std::string control_socket;
  pid_t pid = 0;
};

/// Empty if there is no such text.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Daemon daemon_of(const std::string& mount_point) {
  std::ifstream file(mount_point + "/.lunfs/status.json");
  const Json status = Json::parse(file, nullptr, false);
  if (!status.is_object()) return {};
  const auto pid = status.find("pid");
  return {.control_socket = text_of(status, "control_socket"),
          .pid = pid != status.end() && pid->is_number_integer() ? pid->get<pid_t>() : 0};
}

FileDescriptor ask_for_end(const Daemon& daemon) {
  if (daemon.control_socket.empty()) return {};
  FileDescriptor socket = host::connect_to_daemon(daemon.control_socket, kEndLimit);
  constexpr std::string_view kRequest = "{\"id\":1,\"command\":\"wait_end\"}\n";
  if (socket.valid() && send(socket.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
    socket.reset();
  }
  return socket;
}

Error not_ended(const std::string& mount_point) {
  return Error(ErrorKind::kTimedOut,
               fmt::format("{}: unmounted, but the daemon has not ended", mount_point))
      .because("the target does not answer")
      .advise("look at the log; the daemon goes on trying");
}

/// Without a control socket (a user without XDG_RUNTIME_DIR) only the end itself can be seen.
void wait_for_exit(int process, const std::string& mount_point) {
  pollfd waiting{.fd = process, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kEndLimit).count())) != 1) {
    throw not_ended(mount_point);
  }
}

void wait_for_end(int socket, const std::string& mount_point) {
  std::string line;
  std::array<char, 4096> buffer{};
  while (line.find('\n') == std::string::npos) {
    const ssize_t length = recv(socket, buffer.data(), buffer.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) throw not_ended(mount_point);
    if (length == 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: the daemon ended without a word", mount_point))
          .because("it was killed")
          .advise("writes that no fsync had confirmed may be lost: check the disks");
    }
    line.append(buffer.data(), static_cast<std::size_t>(length));
  }
  const Json reply = Json::parse(line, nullptr, false);
  const std::string lost = reply.is_object() ? text_of(reply, "lost") : "an unreadable answer";
  if (!lost.empty()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: unmounted, but {}", mount_point, lost))
        .because("the session was lost before everything was durable")
        .advise("check what was written last; see the log");
  }
}

}  // namespace

void unmount_and_wait(const std::string& mount_point) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(mount_point, ignored);
  const std::string directory = ignored ? mount_point : canonical.string();
  if (!is_lunfs_mount(directory)) {
    throw Error(ErrorKind::kNotFound, fmt::format("{}: no lunfs is mounted there", directory))
        .advise("findmnt -t fuse.lunfs lists the mounts");
  }
  const bool daemon_died = access(directory.c_str(), F_OK) != 0 && errno == ENOTCONN;
  const Daemon daemon = daemon_of(directory);
  const FileDescriptor socket = ask_for_end(daemon);
  const FileDescriptor process(
      daemon.pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, daemon.pid, 0)) : -1);
  remove_mount(directory, Detach::kIfUnused);
  if (daemon_died) {
    throw Error(ErrorKind::kIo, fmt::format("{}: unmounted, but the daemon had died", directory))
        .because("it was killed, or it crashed; the log may tell")
        .advise("writes that no fsync had confirmed may be lost: check the disks");
  }
  if (socket.valid()) wait_for_end(socket.get(), directory);
  if (process.valid()) wait_for_exit(process.get(), directory);
}

}  // namespace lunfs::fs
