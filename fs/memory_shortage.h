#pragma once

namespace lunfs::fs {

/// Prepares the process, before it has threads or children, for a machine that runs out of memory:
/// the kernel ends others first, and memory that this process asks for is not waited for by writing
/// out what only this process could write out (docs/decisions/0008). Takes CAP_SYS_RESOURCE;
/// without it, and where a service manager has said otherwise, nothing changes.
void prepare_for_memory_shortage() noexcept;

}  // namespace lunfs::fs
