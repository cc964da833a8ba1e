#include "fs/source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"
#include "base/file_device.h"
#include "base/log.h"
#include "iscsi/credentials.h"
#include "iscsi/initiator_name.h"

namespace lunfs::fs {

namespace {

constexpr std::chrono::seconds kForEver{std::chrono::hours{24 * 365}};

struct FoundCredentials {
  iscsi::Credentials credentials;
  std::vector<std::string> searched;
  std::string found_in;  ///< the file; empty if there was none

  /// For error texts: the file, or every place that has none.
  [[nodiscard]] std::string source() const {
    return found_in.empty() ? fmt::format("none in {}", fmt::join(searched, ", ")) : found_in;
  }
};

/// The first credentials file that exists; an explicit one must.
FoundCredentials find_credentials(const std::optional<std::string>& option) {
  FoundCredentials result;
  result.searched = iscsi::credential_places(option);
  for (const std::string& place : result.searched) {
    try {
      result.credentials = iscsi::Credentials::load(place);
      result.found_in = place;
      return result;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound || option) throw;
    }
  }
  return result;
}

std::string initiator_name(const MountOptions& options) {
  if (options.initiator) return *options.initiator;
  const iscsi::InitiatorName name = iscsi::initiator_name_of_host();
  log::debug("initiator={} from {}", name.name, name.origin);
  return name.name;
}

Task<Source> open_lun_source(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                             const MountOptions& options) {
  iscsi::LunOptions lun{.url = iscsi::LunUrl::parse(options.source),
                        .initiator_name = initiator_name(options)};
  lun.login_timeout = options.login_timeout;
  lun.command_timeout = options.timeout.count() == 0 ? kForEver : options.timeout;
  lun.outage_limit = lun.command_timeout;
  const FoundCredentials found = find_credentials(options.credentials);
  lun.chap = found.credentials.for_login(lun.url.target, lun.url.portal, lun.url.user);
  lun.discovery_chap = found.credentials.for_discovery(lun.url.portal);
  lun.credentials_source = found.source();
  if (lun.url.user && !lun.chap.offered()) {
    throw Error(ErrorKind::kAuth, fmt::format("no secret found for user '{}'", *lun.url.user))
        .because(fmt::format("searched {}", fmt::join(found.searched, ", ")))
        .advise("write the secret into one of these files (mode 0600), lunfs-credentials(5)");
  }
  Source source;
  source.shown = lun.url.text();
  std::unique_ptr<iscsi::LunDevice> device =
      co_await iscsi::open_lun(context, reactor, pool, std::move(lun));
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
                         const MountOptions& options) {
  if (iscsi::LunUrl::looks_like_one(options.source)) {
    co_return co_await open_lun_source(context, reactor, pool, options);
  }
  co_return open_file_source(reactor, pool, options);
}

}  // namespace lunfs::fs
