#include "fs/watcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "fs/watcher_line.h"

namespace lunfs::fs {

namespace {

/// Longer than the watcher waits for a mount helper.
constexpr std::chrono::milliseconds kAnswerLimit{25'000};

/// In the child: becomes the watcher. A new program, so that nothing of the daemon's memory stays;
/// without /proc a copy of this one must do.
[[noreturn]] void become_watcher(FileDescriptor socket, const std::string& mount_point) {
  if (socket.get() != kWatcherSocket) {
    dup2(socket.get(), kWatcherSocket);
  } else {
    fcntl(socket.release(), F_SETFD, 0);
  }
  std::string name(kWatcherName);
  std::string directory = mount_point;
  const std::array<char*, 3> arguments = {name.data(), directory.data(), nullptr};
  execv("/proc/self/exe", arguments.data());
  _exit(run_watcher(mount_point));
}

Error gone(const std::string& mount_point) {
  return Error(ErrorKind::kUnreachable,
               fmt::format("{}: the watcher of this mount has ended", mount_point))
      .because("somebody killed it")
      .advise(fmt::format("unmount by hand: umount -l {}", mount_point));
}

}  // namespace

Watcher::Watcher(const std::string& mount_point) : mount_point_(mount_point) {
  std::array<int, 2> ends{};
  // Packets: an order or an answer is one each, whole or not there.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw system_error(errno, "starting the watcher");
  }
  FileDescriptor own(ends[0]);
  FileDescriptor its(ends[1]);
  const pid_t child = fork();
  if (child < 0) throw system_error(errno, "starting the watcher");
  if (child == 0) {
    own.reset();
    become_watcher(std::move(its), mount_point);
  }
  socket_ = std::move(own);
}

void Watcher::after_mount() {
  try {
    ask(Order::kAfter);
  } catch (Error& error) {
    error.set_cause("/proc is not mounted here, or somebody has removed the mount at once");
    error.set_remedy("look at /proc/self/mountinfo, then mount again");
    throw;
  }
}

void Watcher::ask(Order order) {
  const char word = static_cast<char>(order);
  if (send(socket_.get(), &word, 1, MSG_NOSIGNAL) != 1) throw gone(mount_point_);
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, int{kAnswerLimit.count()});
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    throw Error(ErrorKind::kTimedOut, fmt::format("{}: no answer of the watcher for {} s",
                                                  mount_point_, kAnswerLimit.count() / 1000));
  }
  std::array<char, kLongestAnswer> answer{};
  const ssize_t length = recv(socket_.get(), answer.data(), answer.size(), 0);
  if (length <= 0) throw gone(mount_point_);
  const std::string_view text(answer.data(), static_cast<std::size_t>(length));
  if (text != kDone) throw Error(ErrorKind::kInternal, std::string(text));
}

}  // namespace lunfs::fs
