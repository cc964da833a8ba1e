#include "host/run_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace lunfs::host {

std::string run_directory() {
  std::string base = "/run";
  if (geteuid() != 0) {
    const char* user = std::getenv("XDG_RUNTIME_DIR");
    if (user == nullptr || *user != '/') return {};
    base = user;
  }
  const std::string path = base + "/lunfs";
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return {};
  struct stat status {};
  // Somebody else's directory, or a link to one, is not a place for our sockets.
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
      (status.st_mode & 022U) != 0) {
    return {};
  }
  return path;
}

}  // namespace lunfs::host
