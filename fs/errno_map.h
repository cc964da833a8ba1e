#pragma once

#include "base/error.h"

namespace lunfs::fs {

/// The errno that a FUSE request fails with; the only place where one is chosen for an Error.
/// Never ENOSYS: the kernel would remember it for the whole connection.
int errno_of(ErrorKind kind) noexcept;

/// Of a request that moves bytes. What means something else to read(2) and write(2) than what the
/// LUN meant by it ("no such LUN") is EIO.
[[nodiscard]] int errno_of_io(ErrorKind kind) noexcept;

}  // namespace lunfs::fs
