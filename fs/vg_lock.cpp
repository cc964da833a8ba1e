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
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "host/run_directory.h"

namespace lunfs::fs {

namespace {

std::string path_for(const std::string& key) {
  const std::string name = fmt::format("lunfs-{:016x}", XXH3_64bits(key.data(), key.size()));
  if (geteuid() == 0) return "/run/lock/" + name;
  const std::string directory = host::run_directory();
  return directory.empty() ? std::string() : directory + "/" + name + ".lock";
}

void check_trust(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw system_error(errno, path);
  if (S_ISREG(status.st_mode) && status.st_uid == geteuid()) return;
  throw Error(ErrorKind::kPermission, fmt::format("{}: not a file of this user", path))
      .because("somebody else made it")
      .advise("remove the file");
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

std::string holder_of(int fd) {
  std::array<char, 512> text{};
  const ssize_t length = pread(fd, text.data(), text.size() - 1, 0);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "another mount";
}

}  // namespace

VgLock::VgLock(const std::string& key, const std::string& mount_point) {
  const std::string path = path_for(key);
  if (path.empty()) {
    log::warn("no lock against a second read-write mount: this user has no XDG_RUNTIME_DIR");
    return;
  }
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) {
    if (errno == ENOENT) return;  // no /run/lock here (a bare container)
    throw system_error(errno, path).advise("the file must not be a link");
  }
  check_trust(file.get(), path);
  if (!locked(file.get())) {
    throw Error(ErrorKind::kBusy,
                fmt::format("the VG is mounted read-write already: {}", holder_of(file.get())))
        .because("two read-write mounts of one VG on this host would not see each other's writes")
        .advise("use the other mount, unmount it first, or mount this one with -o ro");
  }
  const std::string text = fmt::format("pid {} on {}", getpid(), mount_point);
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw system_error(errno, path);
  }
  file_ = std::move(file);
}

}  // namespace lunfs::fs
