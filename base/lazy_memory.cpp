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
  // A fault for each 4 KiB costs more than the copy that meets it. Where there are no huge pages
  // there is nothing to be done.
  constexpr std::size_t kLarge = std::size_t{16} << 20U;
  if (size >= kLarge) madvise(place, size, MADV_HUGEPAGE);
}

LazyMemory::~LazyMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

void LazyMemory::give_back(std::size_t kept) noexcept {
  const std::span<std::byte> rest = bytes_.subspan(kept);
  // It fails for locked pages only, which stay then.
  if (!rest.empty()) madvise(rest.data(), rest.size(), MADV_DONTNEED);
}

}  // namespace lunfs
