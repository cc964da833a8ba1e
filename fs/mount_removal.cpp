#include "fs/mount_removal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lunfs::fs {

namespace {

/// fusermount3 does a system call or two; one that does not come back is ended.
constexpr std::chrono::milliseconds kHelperLimit{20'000};

Error busy(const std::string& mount_point) {
  return Error(ErrorKind::kBusy, fmt::format("{}: in use", mount_point))
      .because("a program has a file open there, or works in the directory")
      .advise(fmt::format("end it (fuser -vm {} names it), then unmount again", mount_point));
}

/// The wait status of a child; nullopt if it had to be killed.
std::optional<int> wait_for_child(pid_t child) {
  const FileDescriptor process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  pollfd waiting{.fd = process.get(), .events = POLLIN, .revents = 0};
  // Without pidfd_open (before Linux 5.3) there is no limit.
  const bool hangs = process.valid() && poll(&waiting, 1, int{kHelperLimit.count()}) == 0;
  if (hangs) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (hangs) return std::nullopt;
  return status;
}

/// fusermount3 -u, as only it may unmount for an ordinary user.
void run_fusermount(const std::string& mount_point, Detach how) {
  std::string program = "fusermount3";
  std::string unmount = "-u";
  std::string lazy = "-z";
  std::string end_of_options = "--";
  std::string directory = mount_point;
  std::vector<char*> arguments = {program.data(), unmount.data()};
  if (how == Detach::kAtOnce) arguments.push_back(lazy.data());
  for (char* word : {end_of_options.data(), directory.data(), static_cast<char*>(nullptr)}) {
    arguments.push_back(word);
  }
  pid_t child = 0;
  const int failure =
      posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ);
  if (failure != 0) throw system_error(failure, "starting fusermount3");
  const std::optional<int> status = wait_for_child(child);
  if (!status) {
    throw Error(ErrorKind::kTimedOut, fmt::format("{}: fusermount3 did not end for {} s",
                                                  mount_point, kHelperLimit.count() / 1000))
        .advise(fmt::format("as root: umount -l {}", mount_point));
  }
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return;
  // fusermount3 has printed why.
  throw Error(ErrorKind::kBusy, fmt::format("{}: fusermount3 did not unmount it", mount_point))
      .because("a program has a file open there, or the mount is not yours")
      .advise(
          fmt::format("end the program (fuser -vm {} names it), then unmount again", mount_point));
}

/// The number of the mount that an open file lies on. Kernels before 5.8 tell it here only.
std::optional<std::uint64_t> mount_id_of(int fd) {
  std::ifstream file(fmt::format("/proc/self/fdinfo/{}", fd));
  std::string key;
  std::uint64_t value = 0;
  while (file >> key) {
    if (key == "mnt_id:" && file >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

void remove_mount(const std::string& mount_point, Detach how) {
  if (geteuid() != 0) {
    run_fusermount(mount_point, how);
    return;
  }
  const int flags = UMOUNT_NOFOLLOW | (how == Detach::kAtOnce ? MNT_DETACH : 0);
  if (umount2(mount_point.c_str(), flags) == 0) return;
  if (errno == EBUSY) throw busy(mount_point);
  throw system_error(errno, fmt::format("{}: unmounting", mount_point));
}

HeldMount::HeldMount(host::MountEntry entry)
    : entry_(std::move(entry)),
      // O_PATH: nothing is asked of the file system.
      root_(open(entry_.mount_point.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {
  if (!root_.valid()) throw system_error(errno, entry_.mount_point);
  if (mount_id_of(root_.get()) != entry_.id) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: another mount stands there", entry_.mount_point));
  }
}

bool HeldMount::dead() const {
  struct statx status {};
  const int flags = AT_EMPTY_PATH | AT_STATX_FORCE_SYNC;
  if (statx(root_.get(), "", flags, STATX_BASIC_STATS, &status) == 0) return false;
  // The second is the answer to who was waiting when the daemon ended.
  return errno == ENOTCONN || errno == ECONNABORTED;
}

void HeldMount::detach() const {
  const std::string exactly = fmt::format("/proc/self/fd/{}", root_.get());
  if (umount2(exactly.c_str(), MNT_DETACH) == 0) return;
  if (errno != EPERM || geteuid() == 0) {
    throw system_error(errno, fmt::format("{}: unmounting", entry_.mount_point));
  }
  run_fusermount(entry_.mount_point, Detach::kAtOnce);
}

}  // namespace lunfs::fs
