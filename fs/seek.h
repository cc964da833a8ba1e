#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/block_device.h"

namespace lunfs::fs {

/// The first byte from `offset` on that lies in a hole (or, without `hole`, in none); nullopt if
/// there is none before the device's end. Asks for the map of 4 MiB first, and for twice as much
/// each time that it is all one, up to 1 GiB: the next change is mostly near, the way over a large
/// hole is long, and the map of a VHD can cost a read for each block.
///
/// Programs do not expect EINTR of lseek(2): the context's end (kCancelled, kTimedOut) breaks off
/// only what has taken longer than `patience`, and only between two maps. Errors: the device's.
Task<std::optional<std::uint64_t>> find_run(
    RequestContext& context, BlockDevice& device, std::uint64_t offset, bool hole,
    std::chrono::milliseconds patience = std::chrono::seconds(2));

}  // namespace lunfs::fs
