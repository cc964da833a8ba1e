#include "fs/source.h"

#include <utility>

#include "base/error.h"
#include "base/file_device.h"
#include "iscsi/login_identity.h"

namespace lunfs::fs {

namespace {

constexpr std::chrono::seconds kForEver{std::chrono::hours{24 * 365}};

Task<Source> open_lun_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                             const MountOptions& options, std::shared_ptr<RangeLock::Line> writes) {
  iscsi::LunUrl url = iscsi::LunUrl::parse(options.source);
  auto identity = iscsi::LoginIdentity::find(
      {.credentials = options.credentials, .initiator = options.initiator});
  iscsi::LunOptions lun = identity.lun_options(std::move(url));
  lun.login_timeout = options.login_timeout;
  lun.command_timeout = options.timeout.count() == 0 ? kForEver : options.timeout;
  if (!writes && options.sessions > 1) {
    writes = std::make_shared<RangeLock::Line>(RangeLock::Line::Threads::kMany);
  }
  lun.writes = writes;
  Source source;
  source.writes = std::move(writes);
  source.shown = lun.url.text();
  source.initiator_notice = identity.notice();
  std::unique_ptr<iscsi::LunDevice> device;
  try {
    device = co_await iscsi::open_lun(context, reactor, pool, std::move(lun));
  } catch (const Error& error) {
    throw identity.with_notice(error);
  }
  source.lun = device.get();
  source.device = std::move(device);
  co_return source;
}

Source open_file_source(Reactor& reactor, ThreadPool& pool, const MountOptions& options) {
  Source source;
  source.shown = options.source;
  if (!options.read_only) {
    try {
      source.device = FileDevice::open(options.source, Access::kReadWrite, reactor, pool);
      return source;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kPermission && error.kind() != ErrorKind::kReadOnly) throw;
      source.read_only_notice = error.message();
    }
  }
  source.device = FileDevice::open(options.source, Access::kReadOnly, reactor, pool);
  return source;
}

}  // namespace

Task<Source> open_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         const MountOptions& options, std::shared_ptr<RangeLock::Line> writes) {
  if (iscsi::LunUrl::looks_like_one(options.source)) {
    co_return co_await open_lun_source(context, reactor, pool, options, std::move(writes));
  }
  if (options.sessions > 1) {
    throw Error(ErrorKind::kUsage, "option sessions: only a LUN behind iSCSI has sessions")
        .because("the source is an image or a block device")
        .advise("leave the option out");
  }
  co_return open_file_source(reactor, pool, options);
}

}  // namespace lunfs::fs
