#pragma once

#include <string>

#include "base/file_descriptor.h"

namespace lunfs::testing {

/// A loop device over a file; the kernel takes it down when the last user has closed it.
class LoopDevice {
 public:
  /// `file` exists. Throws std::system_error if the system gives no loop device.
  explicit LoopDevice(const std::string& file);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Empty if this process can make loop devices, else why not.
  static std::string unavailable_because();

 private:
  std::string path_;
  FileDescriptor device_;
};

}  // namespace lunfs::testing
