// The part of Channel that is about several channels on one connection.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "fs/channel.h"

namespace lunfs::fs {

namespace {

constexpr const char* kDevice = "/dev/fuse";

std::uint32_t opcode_of(std::span<const std::byte> request) noexcept {
  fuse_in_header header{};
  if (request.size() < sizeof header) return 0;
  std::memcpy(&header, request.data(), sizeof header);
  return header.opcode;
}

/// A request that changes nothing and is not answered.
std::vector<std::byte> empty_forget() {
  struct {
    fuse_in_header header;
    fuse_forget_in forget;
  } request{};
  request.header.len = sizeof request;
  request.header.opcode = FUSE_FORGET;
  std::vector<std::byte> bytes(sizeof request);
  std::memcpy(bytes.data(), &request, sizeof request);
  return bytes;
}

}  // namespace

void Channel::share(Tell tell_others) { tell_others_ = std::move(tell_others); }

void Channel::join(const Channel& mounted) {
  FileDescriptor device(open(kDevice, O_RDWR | O_CLOEXEC));
  auto first = static_cast<std::uint32_t>(fuse_session_fd(mounted.session_.get()));
  if (!device.valid() || ioctl(device.get(), FUSE_DEV_IOC_CLONE, &first) != 0) {
    Error error = system_error(errno, fmt::format("{}: a further descriptor", kDevice));
    error.set_cause("this user may not open it, or it is missing in a container");
    error.set_remedy("mount with sessions=1");
    throw error;
  }
  // In this form libfuse takes a descriptor over that is connected already, and mounts nothing.
  const std::string as_path = fmt::format("/dev/fd/{}", device.get());
  if (fuse_session_mount(session_.get(), as_path.c_str()) != 0) {
    throw Error(ErrorKind::kInternal, "libfuse takes no further descriptor");
  }
  static_cast<void>(device.release());  // the session's now
}

void Channel::start(std::vector<std::byte> init) {
  if (stopped_) return;  // the mount ended as it began
  take_answers();
  // libfuse serves no request before it knows what was agreed on. Its answer goes to a descriptor
  // that the kernel expects none from, which is all the harm it does.
  process(init);
  watch_for_requests();
}

void Channel::pause() {
  if (!serving_) return;
  serve_ = {};
  watch_ = {};
  // No event is asked for: an ended connection tells by itself, and serve() sees to it.
  watch_ = reactor_.watch(fuse_session_fd(session_.get()), 0, [this](std::uint32_t) { resume(); });
}

void Channel::resume() {
  // Watched anew, the descriptor tells what is there already, whomever that has woken.
  if (serving_) watch_for_requests();
}

void Channel::share_what_concerns_all(std::span<const std::byte> request) {
  switch (opcode_of(request)) {
    case FUSE_INIT:
      init_.assign(request.begin(), request.end());
      break;
    case FUSE_INTERRUPT:
      tell_others_({request.begin(), request.end()});
      // Its turn comes after this one was processed.
      reactor_.post([this] { forget_interrupts(); });
      break;
    default:
      break;
  }
}

void Channel::take_interrupt(std::vector<std::byte> request) {
  process(request);
  forget_interrupts();
}

void Channel::process(std::vector<std::byte>& request) {
  fuse_buf buffer{};
  buffer.mem = request.data();
  buffer.size = request.size();
  fuse_session_process_buf(session_.get(), &buffer);
}

/// libfuse keeps an INTERRUPT of a request that it does not serve until the next request, of which
/// a channel may see none for long.
void Channel::forget_interrupts() {
  std::vector<std::byte> forget = empty_forget();
  process(forget);
}

}  // namespace lunfs::fs
