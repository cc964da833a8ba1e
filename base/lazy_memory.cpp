#include "base/lazy_memory.h"

#include <sys/mman.h>

#include <cerrno>

#include "base/error.h"

namespace lunfs {

LazyMemory::LazyMemory(std::size_t size) {
  if (size == 0) return;
  void* const place = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw system_error(errno, "reserving memory");
  bytes_ = {static_cast<std::byte*>(place), size};
}

LazyMemory::~LazyMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

void LazyMemory::give_back() noexcept {
  // It fails for locked pages only, which stay then.
  if (!bytes_.empty()) madvise(bytes_.data(), bytes_.size(), MADV_DONTNEED);
}

}  // namespace lunfs
