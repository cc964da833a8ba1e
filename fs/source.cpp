#include "fs/source.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/file_device.h"
#include "fs/privileges.h"
#include "host/mount_table.h"
#include "iscsi/login_identity.h"

namespace lunfs::fs {

namespace {

Task<Source> open_lun_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                             const MountOptions& options, const SourceOrigin& origin) {
  iscsi::LunUrl url = iscsi::LunUrl::parse(options.source);
  auto identity = iscsi::LoginIdentity::find(
      {.credentials = options.credentials, .initiator = options.initiator});
  iscsi::LunOptions lun = identity.lun_options(std::move(url));
  lun.login_timeout = options.login_timeout;
  lun.command_timeout = options.command_timeout();
  lun.outage_limit = options.timeout.count() == 0 ? MountOptions::kForEver : options.timeout;
  lun.path_timeout = options.path_timeout;
  lun.portals = options.portals;
  lun.discover_portals = options.discover_portals;
  lun.first_path = origin.number;
  std::shared_ptr<iscsi::SharedLun> shared;
  if (origin.first != nullptr) {
    shared = origin.first->shared;
    lun.portals = origin.first->portals;
    lun.discover_portals = false;  // they are known by now
    lun.expected = origin.first->identity;
  } else if (options.sessions > 1) {
    shared = std::make_shared<iscsi::SharedLun>();
  }
  lun.shared = shared;
  // With several sessions a replay of one could overtake what another has written since.
  lun.journal_bytes = options.read_only || options.sessions > 1 ? 0 : options.journal_bytes;
  Source source;
  source.shared = std::move(shared);
  source.shown = lun.url.text();
  source.initiator_notice = identity.notice();
  keep_rights_to_mount();  // from here on comes what others send
  std::unique_ptr<iscsi::LunDevice> device;
  try {
    device = co_await iscsi::open_lun(context, reactor, pool, std::move(lun));
  } catch (const Error& error) {
    throw identity.with_notice(error);
  }
  source.lun = device.get();
  source.identity = device->identity();
  for (const iscsi::PathReport& path : device->paths()) source.portals.push_back(path.portal);
  source.device = std::move(device);
  co_return source;
}

/// Who looks for the other mount of an image wants to know where it is.
Error naming_the_mount(const Error& error, const std::string& path) {
  for (const host::MountEntry& mount : host::all_mounts()) {
    if (mount.type != host::kMountType || mount.source != path) continue;
    return Error(error.kind(), fmt::format("{}, mounted on {}", error.message(), mount.mount_point))
        .because(error.cause())
        .advise(error.remedy());
  }
  return error;
}

Source open_file_source(Reactor& reactor, ThreadPool& pool, const MountOptions& options) {
  Source source;
  source.shown = options.source;
  if (!options.read_only) {
    try {
      source.device = FileDevice::open(options.source, Access::kReadWrite, reactor, pool);
      return source;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kBusy) throw naming_the_mount(error, options.source);
      if (error.kind() != ErrorKind::kPermission && error.kind() != ErrorKind::kReadOnly) throw;
      source.read_only_notice = error.message();
    }
  }
  source.device = FileDevice::open(options.source, Access::kReadOnly, reactor, pool);
  return source;
}

}  // namespace

Task<Source> open_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         const MountOptions& options, const SourceOrigin& origin) {
  if (iscsi::LunUrl::looks_like_one(options.source)) {
    co_return co_await open_lun_source(context, reactor, pool, options, origin);
  }
  if (options.sessions > 1) {
    throw Error(ErrorKind::kUsage, "option sessions: only a LUN behind iSCSI has sessions")
        .because("the source is an image or a block device")
        .advise("leave the option out");
  }
  if (!options.portals.empty() || options.discover_portals) {
    throw Error(ErrorKind::kUsage, "option portal: only a LUN behind iSCSI has portals")
        .because("the source is an image or a block device")
        .advise("leave the option out");
  }
  Source source = open_file_source(reactor, pool, options);
  keep_rights_to_mount();  // from here on bytes of the LUN are parsed
  co_return source;
}

}  // namespace lunfs::fs
