#pragma once

#include <memory>
#include <string>

#include "base/block_device.h"
#include "base/reactor.h"
#include "base/thread_pool.h"
#include "fs/options.h"
#include "iscsi/open_lun.h"
#include "iscsi/shared_lun.h"

namespace lunfs::fs {

/// The opened SOURCE of a mount.
struct Source {
  std::unique_ptr<BlockDevice> device;
  iscsi::LunDevice* lun = nullptr;  ///< the device, if it is a LUN behind iSCSI
  std::string initiator_notice;     ///< what a user should be told of it; or empty
  std::string shown;                ///< what logs and status show; no secret, no user
  std::string read_only_notice;     ///< why it was opened read-only although nobody asked; or empty
  std::shared_ptr<iscsi::SharedLun> shared;  ///< of a LUN with several sessions
};

/// Opens what options.source names: logs in, or opens the image or block device. The calling thread
/// loses the rights that mounting does not take, before it reads anything of network or LUN. An
/// image that may be read but not written is opened read-only, as mount(8) does with a
/// write-protected device.
/// @param shared  of a further session: the first one's Source::shared
/// Errors: those of iscsi::open_lun, iscsi::Credentials and FileDevice::open; kUsage for an image
/// or a block device with more than one session.
Task<Source> open_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         const MountOptions& options,
                         std::shared_ptr<iscsi::SharedLun> shared = nullptr);

}  // namespace lunfs::fs
