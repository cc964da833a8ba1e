#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>

#include "base/error.h"
#include "base/log.h"
#include "fs/mount_removal.h"
#include "fs/privileges.h"
#include "fs/watched_mount.h"
#include "fs/watcher.h"
#include "fs/watcher_line.h"
#include "host/control_client.h"

namespace lunfs::fs {

namespace {

/// What the last look may take. Only somebody else's mount that does not answer can use it up: ours
/// is dead.
constexpr unsigned kLastLookSeconds = 60;
/// Where close_range(2) is missing (before Linux 5.9).
constexpr int kMostDescriptors = 1024;

/// Holds the socket and nothing else: no terminal, no directory, no pipe that somebody waits for.
void leave_everything() {
  setsid();
  if (chdir("/") != 0) return;  // the root is always there
  const int null = open("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
  fcntl(kWatcherSocket, F_SETFD, FD_CLOEXEC);  // a mount helper need not have it
  if (close_range(kWatcherSocket + 1, ~0U, 0) != 0) {
    for (int fd = kWatcherSocket + 1; fd < kMostDescriptors; ++fd) close(fd);
  }
}

/// Whoever ends the daemon by a signal to everything of its kind must not end the watcher first.
void outlive_the_daemon() {
  sigset_t set;
  sigfillset(&set);
  sigdelset(&set, SIGALRM);  // the limit of the last look
  sigprocmask(SIG_SETMASK, &set, nullptr);
  signal(SIGALRM, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);  // ignored, it would take the mount helper's status away
  prctl(PR_SET_NAME, std::string(kWatcherName).c_str());
}

/// Throws what went wrong.
void carry_out(Watcher::Order order, WatchedMount& mount) {
  switch (order) {
    case Watcher::Order::kBefore:
      mount.before(host::all_mounts());
      return;
    case Watcher::Order::kAfter:
      if (mount.after(host::all_mounts())) return;
      throw Error(ErrorKind::kNotFound, "the new mount is not in the mount table");
    case Watcher::Order::kRemove:
      if (auto found = mount.find(host::all_mounts())) {
        HeldMount(std::move(*found)).detach();
        return;
      }
      throw Error(ErrorKind::kNotFound, "the mount is not in the mount table any more");
  }
  throw Error(ErrorKind::kInternal, "the watcher got an order that it does not know");
}

std::string answer_to(Watcher::Order order, WatchedMount& mount) {
  try {
    carry_out(order, mount);
    return std::string(kDone);
  } catch (const std::exception& failure) {
    return std::string(failure.what()).substr(0, kLongestAnswer);
  }
}

/// Until the daemon has ended.
void obey(WatchedMount& mount) {
  char word = 0;
  while (true) {
    const ssize_t length = recv(kWatcherSocket, &word, 1, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return;
    const std::string answer = answer_to(static_cast<Watcher::Order>(word), mount);
    // A daemon that has ended meanwhile is met in the next turn.
    static_cast<void>(send(kWatcherSocket, answer.data(), answer.size(), MSG_NOSIGNAL));
  }
}

int remove_what_is_left(const WatchedMount& mount, const std::string& mount_point) {
  const auto found = mount.find(host::all_mounts());
  if (!found) return 0;
  // syslog: the daemon's own log is the daemon's.
  const auto say = [](log::Level level, const std::string& text) {
    log::configure(log::Sink::kSyslog, log::Level::kInfo);
    log::write(level, text);
  };
  alarm(kLastLookSeconds);
  try {
    const HeldMount held(*found);
    if (!held.dead()) return 0;  // another mount, which got the number of ours
    held.detach();
    say(log::Level::kWarn,
        fmt::format("the daemon of {} has ended without unmounting: its mount is removed",
                    mount_point));
    return 0;
  } catch (const std::exception& failure) {
    say(log::Level::kError,
        fmt::format("the daemon of {0} has ended and its mount may be left: {1}; umount -l {0}",
                    mount_point, failure.what()));
    return 1;
  }
}

}  // namespace

int run_watcher(const std::string& mount_point) {
  leave_everything();
  outlive_the_daemon();
  if (geteuid() == 0) keep_rights_to_mount();
  const pid_t daemon = getppid();
  WatchedMount mount(mount_point);
  obey(mount);
  host::remove_control_sockets_of(daemon);
  return remove_what_is_left(mount, mount_point);
}

}  // namespace lunfs::fs
