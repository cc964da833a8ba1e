#pragma once

#include <fuse_lowlevel.h>

#include <functional>

#include "fs/channel.h"
#include "fs/io_operations.h"
#include "fs/name_operations.h"

namespace lunfs::fs {

/// What the table below hands each request to.
struct Operations {
  NameOperations& names;
  IoOperations& io;
  VgLook* look = nullptr;            ///< null where the VG is not watched
  Channel* channel = nullptr;        ///< set before the mount
  std::function<void()> on_ready{};  ///< called when the kernel has agreed on the protocol
  /// Calls `then` when the texts of control files are those of this moment; null: they always are.
  std::function<void(std::function<void()> then)> renew_status{};
};

/// libfuse's table: decodes each request and calls Operations (its user data). Every request that
/// this libfuse knows has an entry, and Channel makes known what is newer, so none is answered
/// ENOSYS (docs/decisions/0004-requests-newer-than-libfuse.md); no exception gets out.
const fuse_lowlevel_ops& operation_table() noexcept;

}  // namespace lunfs::fs
