#include "base/lock_holder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>
#include <sstream>
#include <string>

namespace lunfs {

std::optional<pid_t> flock_holder(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return std::nullopt;
  const std::string file =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream table("/proc/locks");
  for (std::string line; std::getline(table, line);) {
    // "1: FLOCK  ADVISORY  WRITE 4711 08:02:131099 0 EOF"; who waits has a "->" more.
    std::istringstream words(line);
    std::string number, kind, way, mode, place;
    pid_t holder = 0;
    words >> number >> kind >> way >> mode >> holder >> place;
    if (kind == "FLOCK" && mode == "WRITE" && place == file && holder > 0) return holder;
  }
  return std::nullopt;
}

}  // namespace lunfs
