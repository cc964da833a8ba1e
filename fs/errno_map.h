#pragma once

#include "base/error.h"

namespace lunfs::fs {

/// The errno that a FUSE request fails with; the only place where one is chosen for an Error.
/// Never ENOSYS: the kernel would remember it for the whole connection.
int errno_of(ErrorKind kind) noexcept;

}  // namespace lunfs::fs
