#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/view.h"
#include "fs/write_ledger.h"

namespace lunfs::fs {

/// What one open(2) holds. Each ledger is one shard's, what is atomic is everybody's, and
/// the rest is constant once it is in OpenFiles.
struct OpenFile {
  explicit OpenFile(std::size_t shards = 1) : ledgers(shards) {}

  Node* node = nullptr;
  /// Of a control file: its text as it was at the open. Shared with the reads of it.
  std::shared_ptr<const std::string> text;
  /// Opened for writing: its close makes durable what was written, also by mmap.
  bool writable = false;
  /// Barrier::losses() as far as this handle's owner knows. Pages of mapped files are written
  /// through any handle, so each one that may write is told of each loss. Any thread.
  std::atomic<std::uint64_t> losses_known = 0;
  /// Opened with O_TRUNC; shared with the node's other such handles.
  std::shared_ptr<Truncation> truncation;
  /// By number of the shard that serves the write.
  std::vector<WriteLedger> ledgers;

  /// Something was written up to `end`, or the file's end was set there. Any thread.
  void reached(std::uint64_t end) noexcept {
    if (!truncation) return;
    std::uint64_t before = written_end_.load();
    while (before < end && !written_end_.compare_exchange_weak(before, end)) {
    }
    truncation->reached(end);
  }
  /// With `truncation`: the end of what was written through this handle; bytes. Any thread.
  [[nodiscard]] std::uint64_t written_end() const noexcept { return written_end_.load(); }

 private:
  std::atomic<std::uint64_t> written_end_ = 0;
};

/// The open files by handle. The kernel names a handle until it has sent RELEASE for it, and sends
/// RELEASE only after the last request that names it was answered: who has answered touches the
/// file no more.
///
/// Thread-safe; at() takes no lock.
class OpenFiles {
 public:
  OpenFiles() = default;
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles();

  /// kNoSpace if a million files are open.
  std::uint64_t add(std::unique_ptr<OpenFile> file);
  /// kInternal for a handle that is not open.
  [[nodiscard]] OpenFile& at(std::uint64_t handle) const;
  /// Nothing happens if it is not open.
  void remove(std::uint64_t handle) noexcept;
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kChunkSlots = 256;
  static constexpr std::size_t kChunks = 4096;

  /// A place for one file after another. The handle's lower half is the slot's number, its upper
  /// half counts the files that were in it.
  struct Slot {
    std::atomic<std::uint64_t> handle = 0;  ///< 0: nobody has it open
    std::uint32_t uses = 0;                 ///< guarded by mutex_
    std::unique_ptr<OpenFile> file;         ///< set before `handle`, reset after it
  };
  using Chunk = std::array<Slot, kChunkSlots>;

  [[nodiscard]] Slot* slot_of(std::uint64_t handle) const noexcept;

  mutable std::mutex mutex_;
  std::array<std::atomic<Chunk*>, kChunks> chunks_{};  ///< set once, in order; owned
  std::uint32_t made_ = 0;                             ///< slots; guarded by mutex_
  std::vector<std::uint32_t> free_;                    ///< slots; guarded by mutex_
};

}  // namespace lunfs::fs
