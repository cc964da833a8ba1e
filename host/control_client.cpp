#include "host/control_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include "host/run_directory.h"

namespace lunfs::host {

namespace {

namespace stdfs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxSockets = 1024;
constexpr std::size_t kMaxAnswerBytes = 64U << 20U;
constexpr const char* kRunDirectoriesOfUsers = "/run/user";

/// A link would lead root to whatever its owner likes.
bool is_true_socket(const stdfs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

void add_sockets_in(const stdfs::path& directory, std::vector<std::string>& sockets) {
  std::error_code failure;
  if (stdfs::is_symlink(directory, failure)) return;
  for (stdfs::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (sockets.size() == kMaxSockets) return;
    const stdfs::path& path = entry->path();
    if (path.extension() == ".sock" && is_true_socket(path)) sockets.push_back(path.string());
  }
}

void set_limit(int socket, int option, std::chrono::seconds limit) {
  const timeval time{.tv_sec = limit.count(), .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
}

}  // namespace

FileDescriptor connect_to_daemon(const std::string& path, std::chrono::seconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return {};
  set_limit(socket.get(), SO_SNDTIMEO, limit);  // holds for connect() as well
  set_limit(socket.get(), SO_RCVTIMEO, limit);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return {};
  }
  return socket;
}

std::optional<std::string> ask_daemon(const std::string& path, std::string_view command,
                                      std::chrono::seconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  const FileDescriptor socket = connect_to_daemon(path, limit);
  if (!socket.valid()) return std::nullopt;
  const std::string request = fmt::format("{{\"id\":1,\"command\":\"{}\"}}\n", command);
  if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  std::string answer;
  std::array<char, 16384> buffer{};
  while (answer.size() <= kMaxAnswerBytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    const int ready = left.count() > 0 ? poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t length = recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (length <= 0) return std::nullopt;
    const std::string_view received(buffer.data(), static_cast<std::size_t>(length));
    const std::size_t end = received.find('\n');
    answer += received.substr(0, end);
    if (end != std::string_view::npos) return answer;
  }
  errno = ETIMEDOUT;
  return std::nullopt;
}

std::vector<std::string> control_sockets() {
  std::vector<std::string> sockets;
  if (const std::string own = run_directory(); !own.empty()) add_sockets_in(own, sockets);
  if (geteuid() == 0) {
    std::error_code failure;
    for (stdfs::directory_iterator user(kRunDirectoriesOfUsers, failure), end;
         !failure && user != end; user.increment(failure)) {
      add_sockets_in(user->path() / "lunfs", sockets);
    }
  }
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

void remove_control_sockets_of(pid_t pid) noexcept {
  try {
    const std::string ending = fmt::format("-{}.sock", pid);
    std::error_code failure;
    for (stdfs::directory_iterator entry(run_directory(), failure), end; !failure && entry != end;
         entry.increment(failure)) {
      if (entry->path().native().ends_with(ending)) unlink(entry->path().c_str());
    }
  } catch (const std::exception&) {  // what is left harms nobody
  }
}

}  // namespace lunfs::host
