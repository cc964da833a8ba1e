#pragma once

#include <cstddef>
#include <span>

namespace lunfs {

/// Copies `from` to `to`, which has room for it and does not overlap it, for somebody who will not
/// look at the copy soon: past the CPU's caches where the CPU can (amd64), which leaves in them
/// what is needed sooner, and does not fetch what is overwritten. Short or badly aligned ends go as
/// memcpy has them. Any thread.
void streaming_copy(std::span<const std::byte> from, std::byte* to) noexcept;

}  // namespace lunfs
