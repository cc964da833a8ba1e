#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

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
  std::shared_ptr<iscsi::SharedLun> shared;   ///< of a LUN with several sessions
  std::vector<iscsi::PortalAddress> portals;  ///< of a LUN: all paths that the first session has
  iscsi::LunIdentity identity;                ///< of a LUN, as it was opened
};

/// For a further session of a mount.
struct SourceOrigin {
  const Source* first = nullptr;  ///< what the first one opened; null: this is the first
  std::size_t number = 0;         ///< of this session: the path that its login begins with
};

/// Opens what options.source names: logs in, or opens the image or block device. The calling thread
/// loses the rights that mounting does not take, before it reads anything of network or LUN. An
/// image that may be read but not written is opened read-only, as mount(8) does with a
/// write-protected device.
/// Errors: those of iscsi::open_lun, iscsi::Credentials and FileDevice::open; kUsage for an image
/// or a block device with more than one session, or with further portals.
Task<Source> open_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         const MountOptions& options, const SourceOrigin& origin = {});

}  // namespace lunfs::fs
