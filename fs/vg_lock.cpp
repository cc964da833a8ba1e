#include "fs/vg_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/lock_holder.h"
#include "base/log.h"
#include "fs/watcher.h"
#include "host/run_directory.h"

namespace lunfs::fs {

namespace {

/// Where the lock stands: for all users where they may write there (Debian), and where nobody else
/// can fill the disk or take the file away.
std::vector<std::string> places_for(const std::string& key) {
  const std::string name = fmt::format("lunfs-{:016x}", XXH3_64bits(key.data(), key.size()));
  std::vector<std::string> places = {"/run/lock/" + name};
  const std::string directory = host::run_directory();
  if (!directory.empty()) places.push_back(fmt::format("{}/{}.lock", directory, name));
  return places;
}

Error planted(const std::string& path, std::string_view what) {
  return Error(ErrorKind::kPermission, fmt::format("{}: {}", path, what))
      .because("somebody else made it")
      .advise("remove it");
}

/// One's own file, or another user's, which one can lock but not write; invalid where there is none
/// and none can be made.
FileDescriptor open_lock(const std::string& path) {
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  constexpr mode_t kForAllToLock = 0644;
  // O_CREAT only where there is none: kernels refuse it for another's file in a directory of all.
  FileDescriptor file(open(path.c_str(), O_RDWR | kFlags));
  if (!file.valid() && errno == ENOENT) {
    file = FileDescriptor(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | kFlags, kForAllToLock));
    if (file.valid()) fchmod(file.get(), kForAllToLock);  // whatever the umask is
  }
  if (!file.valid() && (errno == EACCES || errno == EEXIST)) {
    file = FileDescriptor(open(path.c_str(), O_RDONLY | kFlags));
  }
  // A link, a directory, a socket: whatever is not opened at all.
  if (!file.valid() && (errno == ELOOP || errno == EISDIR || errno == ENXIO)) {
    throw planted(path, "not a regular file");
  }
  if (!file.valid()) log::info("no lock at {}: {}", path, std::strerror(errno));
  return file;
}

void check_kind(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw system_error(errno, path);
  if (S_ISREG(status.st_mode) && status.st_nlink <= 1) return;
  const char* what = S_ISREG(status.st_mode) ? "has another name, too" : "not a regular file";
  throw planted(path, what);
}

/// A mount that was just removed may need a moment to flush and log out.
bool locked(int fd) {
  constexpr int kAttempts = 40;
  constexpr std::chrono::milliseconds kBetween{50};
  for (int attempt = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (attempt == kAttempts) return false;
    std::this_thread::sleep_for(kBetween);
  }
  return true;
}

/// Where the daemon `pid` has mounted, as its watcher's command line tells every user; empty if no
/// watcher can be seen. What another user's process calls itself is a hint, no more.
std::string directory_of_daemon(pid_t pid) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (pid_t child = 0; children >> child;) {
    std::ifstream words(fmt::format("/proc/{}/cmdline", child));
    std::string name;
    std::string directory;
    std::getline(words, name, '\0');
    std::getline(words, directory, '\0');
    if (name == kWatcherName && directory.size() < PATH_MAX) return directory;
  }
  return {};
}

/// The file says who holds it, unless it is another user's, who made it for a mount that has ended.
std::string holder_of(int fd) {
  std::array<char, 512> buffer{};
  const ssize_t length = pread(fd, buffer.data(), buffer.size() - 1, 0);
  const std::string text(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  const auto pid = flock_holder(fd);
  if (!pid) return text.empty() ? "another mount" : text;
  const std::string known = fmt::format("pid {}", *pid);
  if (text.starts_with(known + " ")) return text;
  const std::string directory = directory_of_daemon(*pid);
  return directory.empty() ? known : fmt::format("{} on {}", known, directory);
}

FileDescriptor take(const std::string& path, const std::string& mount_point) {
  FileDescriptor file = open_lock(path);
  if (!file.valid()) return file;
  check_kind(file.get(), path);
  if (!locked(file.get())) {
    throw Error(ErrorKind::kBusy,
                fmt::format("the VG is mounted read-write already: {}", holder_of(file.get())))
        .because("two read-write mounts of one VG on this host would not see each other's writes")
        .advise("use the other mount, unmount it first, or mount this one with -o ro");
  }
  const std::string text = fmt::format("pid {} on {}", getpid(), mount_point);
  if (ftruncate(file.get(), 0) != 0 || pwrite(file.get(), text.data(), text.size(), 0) < 0) {
    log::debug("{}: locked, but another user's", path);
  }
  return file;
}

}  // namespace

VgLock::VgLock(const std::string& key, const std::string& mount_point) {
  for (const std::string& path : places_for(key)) {
    FileDescriptor file = take(path, mount_point);
    if (file.valid()) files_.push_back(std::move(file));
  }
  if (files_.empty()) {
    log::warn("no lock against a second read-write mount: no place for it in /run/lock{}",
              geteuid() == 0 ? "" : " and no XDG_RUNTIME_DIR");
  }
}

}  // namespace lunfs::fs
