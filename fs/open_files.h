#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "fs/view.h"

namespace lunfs::fs {

/// What one open(2) holds. The reactor's thread only.
struct OpenFile {
  Node* node = nullptr;
  /// Of a control file: its text as it was at the open.
  std::string text;
  /// Opened for writing: its close makes durable what was written, also by mmap.
  bool writable = false;
  /// Durability::losses() as far as this handle's owner knows. Pages of mapped files are written
  /// through any handle, so each one that may write is told of each loss.
  std::uint64_t losses_known = 0;
  /// Opened with O_TRUNC; shared with the node's other such handles.
  std::shared_ptr<Truncation> truncation;
  /// With `truncation`: the end of what was written through this handle; bytes.
  std::uint64_t written_end = 0;
  /// Something was written up to `end`, or the file's end was set there.
  void reached(std::uint64_t end) {
    if (!truncation) return;
    written_end = std::max(written_end, end);
    truncation->reached(end);
  }
  /// Writes in flight by number, oldest first.
  std::list<std::uint64_t> writes;
  std::uint64_t last_write = 0;
  /// The first failed write that no fsync(2) has reported yet.
  std::optional<Error> failure;
  /// A close or sync that waits for every write up to a number; later ones do not hold it up.
  struct WaitForWrites {
    std::uint64_t up_to;
    std::coroutine_handle<> handle;
  };
  std::vector<WaitForWrites> waiting;

  [[nodiscard]] bool written_up_to(std::uint64_t number) const noexcept {
    return writes.empty() || writes.front() > number;
  }
};

/// The open files by handle. The kernel names a handle until it has sent RELEASE for it, and sends
/// RELEASE only after the last request that names it was answered.
class OpenFiles {
 public:
  std::uint64_t add(OpenFile file) {
    const std::uint64_t handle = ++last_;
    files_.emplace(handle, std::make_unique<OpenFile>(std::move(file)));
    return handle;
  }
  /// kInternal for a handle that is not open.
  [[nodiscard]] OpenFile& at(std::uint64_t handle) const {
    const auto found = files_.find(handle);
    if (found == files_.end()) throw Error(ErrorKind::kInternal, "a handle that is not open");
    return *found->second;
  }
  void remove(std::uint64_t handle) { files_.erase(handle); }
  [[nodiscard]] std::size_t size() const noexcept { return files_.size(); }

 private:
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<OpenFile>> files_;
};

}  // namespace lunfs::fs
