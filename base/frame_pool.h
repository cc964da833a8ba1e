#pragma once

#include <cstddef>

/// Memory for coroutine frames: freed frames wait in per-thread lists by size class, so that a
/// request's frames cost no malloc after warm-up. A frame may be freed by another thread than the
/// one that took it; it then joins that thread's list. Under AddressSanitizer this is plain
/// new/delete, so that a use after free is seen.
namespace lunfs::frame_pool {

void* allocate(std::size_t size);
void release(void* frame, std::size_t size) noexcept;

}  // namespace lunfs::frame_pool
