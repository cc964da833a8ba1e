#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace lunfs {

/// Bytes of all parts together.
inline std::size_t size_of(std::span<const iovec> parts) noexcept {
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

}  // namespace lunfs
