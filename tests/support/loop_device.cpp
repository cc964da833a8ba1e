#include "tests/support/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace lunfs::testing {

namespace {

constexpr const char* kControl = "/dev/loop-control";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

LoopDevice::LoopDevice(const std::string& file) {
  const FileDescriptor control(open(kControl, O_RDWR | O_CLOEXEC));
  const FileDescriptor backing(open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!control.valid()) fail(kControl);
  if (!backing.valid()) fail(file);
  loop_config config{};
  config.fd = static_cast<__u32>(backing.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  // Another process may take the free one first.
  constexpr int kAttempts = 50;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) fail("no free loop device");
    path_ = "/dev/loop" + std::to_string(number);
    device_ = FileDescriptor(open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (!device_.valid()) fail(path_);
    if (ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0) return;
    if (errno != EBUSY) fail(path_);
  }
  fail("every free loop device was taken by others");
}

std::string LoopDevice::unavailable_because() {
  if (geteuid() != 0) return "only root can make loop devices";
  if (access(kControl, R_OK | W_OK) != 0) return std::string("there is no ") + kControl;
  return {};
}

}  // namespace lunfs::testing
