#include "fs/open_files.h"

#include <utility>

namespace lunfs::fs {

namespace {

constexpr unsigned kHalf = 32;

}  // namespace

OpenFiles::~OpenFiles() {
  for (const std::atomic<Chunk*>& chunk : chunks_) delete chunk.load();
}

OpenFiles::Slot* OpenFiles::slot_of(std::uint64_t handle) const noexcept {
  const auto number = static_cast<std::uint32_t>(handle);
  if (number / kChunkSlots >= kChunks) return nullptr;
  Chunk* const chunk = chunks_[number / kChunkSlots].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &(*chunk)[number % kChunkSlots];
}

std::uint64_t OpenFiles::add(std::unique_ptr<OpenFile> file) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    if (made_ == kChunks * kChunkSlots) throw Error(ErrorKind::kNoSpace, "too many open files");
    if (made_ % kChunkSlots == 0) chunks_[made_ / kChunkSlots].store(new Chunk);
    free_.push_back(made_++);
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Slot& slot = *slot_of(number);
  slot.file = std::move(file);
  const std::uint64_t handle = (std::uint64_t{++slot.uses} << kHalf) | number;
  slot.handle.store(handle, std::memory_order_release);
  return handle;
}

OpenFile& OpenFiles::at(std::uint64_t handle) const {
  const Slot* const slot = slot_of(handle);
  if (slot == nullptr || handle == 0 || slot->handle.load(std::memory_order_acquire) != handle) {
    throw Error(ErrorKind::kInternal, "a handle that is not open");
  }
  return *slot->file;
}

void OpenFiles::remove(std::uint64_t handle) noexcept {
  std::unique_ptr<OpenFile> file;  // ends when the lock is free again
  const std::lock_guard lock(mutex_);
  Slot* const slot = slot_of(handle);
  if (slot == nullptr || handle == 0 || slot->handle.load() != handle) return;
  slot->handle.store(0);
  file = std::move(slot->file);
  free_.push_back(static_cast<std::uint32_t>(handle));
}

std::size_t OpenFiles::size() const {
  const std::lock_guard lock(mutex_);
  return made_ - free_.size();
}

}  // namespace lunfs::fs
