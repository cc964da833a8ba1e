#include "fs/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/log.h"

namespace lunfs::fs {

void notify_service_manager(const std::string& state) noexcept {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string_view place = variable != nullptr ? variable : "";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (place.size() < 2 || place.size() > sizeof address.sun_path) return;
  if (place[0] != '/' && place[0] != '@') return;
  std::memcpy(address.sun_path, place.data(), place.size());
  if (place[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + place.size());

  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // A manager that does not read must not hold the mount up.
  if (!socket.valid() ||
      sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    log::warn("the service manager cannot be told: {}", std::strerror(errno));
  }
}

}  // namespace lunfs::fs
