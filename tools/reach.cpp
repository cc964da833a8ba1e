#include "tools/reach.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/call_within.h"
#include "base/error.h"
#include "base/file_device.h"
#include "host/mount_status.h"
#include "host/mount_table.h"
#include "iscsi/lun_json.h"
#include "tools/work.h"
#include "volume/sr/catalog.h"
#include "volume/sr/catalog_json.h"

namespace lunfs::tools {

namespace {

constexpr unsigned kMaxTimeoutSeconds = 86'400;
constexpr std::chrono::seconds kLoginLimit{15};
constexpr std::chrono::seconds kLogoutLimit{5};

bool is_lunfs_mount(const std::string& directory) {
  const auto mount = host::find_mount(directory);
  return mount && mount->type == host::kMountType;
}

NamedSource named(const std::string& text) {
  if (iscsi::LunUrl::looks_like_one(text)) return {SourceKind::kUrl, text};
  const std::string place = host::mount_point_of(text);
  if (is_lunfs_mount(place)) return {SourceKind::kMount, place};
  std::error_code failure;
  const std::string path = std::filesystem::canonical(text, failure).string();
  if (failure) throw system_error(failure.value(), text);
  if (is_lunfs_mount(path)) return {SourceKind::kMount, path};
  if (std::filesystem::is_directory(path, failure)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: a directory, and no lunfs is mounted there", text))
        .because("it is not mounted, or the mount point is another one")
        .advise("findmnt -t fuse.lunfs lists the mounts");
  }
  return {SourceKind::kPath, path};
}

/// A LUN or an image that is being read.
struct Reading : Work {
  NamedSource source;
  ReachOptions options;
  std::string notice;
  std::unique_ptr<BlockDevice> device;
  iscsi::LunDevice* lun = nullptr;
  Json document;
};

Task<void> open_source(RequestContext& context, Reading& reading) {
  if (reading.source.kind == SourceKind::kPath) {
    reading.document["source"] = reading.source.name;
    // On the pool, as the file system may hang.
    co_await reading.pool.run(reading.reactor, [&reading] {
      reading.device =
          FileDevice::open(reading.source.name, Access::kReadOnly, reading.reactor, reading.pool);
    });
    co_return;
  }
  iscsi::LunUrl url = iscsi::LunUrl::parse(reading.source.name);
  reading.document["source"] = url.text();
  auto identity = iscsi::LoginIdentity::find(reading.options.identity());
  iscsi::LunOptions lun = identity.lun_options(std::move(url));
  lun.access = Access::kReadOnly;
  lun.login_timeout = std::min(kLoginLimit, reading.options.timeout());
  lun.command_timeout = reading.options.timeout();
  lun.outage_limit = lun.command_timeout;
  reading.notice = identity.notice();
  std::unique_ptr<iscsi::LunDevice> device;
  try {
    device = co_await iscsi::open_lun(context, reading.reactor, reading.pool, std::move(lun));
  } catch (const Error& error) {
    throw identity.with_notice(error);
  }
  reading.lun = device.get();
  reading.device = std::move(device);
}

Task<void> read_all(RequestContext& context, Reading& reading) {
  co_await open_source(context, reading);
  const auto catalog =
      co_await sr::read_current_catalog(context, *reading.device, reading.reactor, false);
  Json& document = reading.document;
  document["read_only_reason"] = catalog->read_only_reason;
  document["size_bytes"] = reading.device->geometry().size_bytes;
  document["sessions"] = Json::array();
  if (reading.lun != nullptr) {
    document["sessions"].push_back(iscsi::session_json(*reading.lun));
  }
  document.update(sr::catalog_json(*catalog));
  if (reading.lun == nullptr) co_return;
  RequestContext limit = RequestContext::within(kLogoutLimit);
  co_await reading.lun->logout(limit);
}

}  // namespace

iscsi::IdentityOptions ReachOptions::identity() const {
  iscsi::IdentityOptions identity;
  identity.credentials = credentials;
  if (initiator) identity.initiator = iscsi::Iqn::parse(*initiator).text();
  return identity;
}

void add_reach_options(CLI::App& app, ReachOptions& options, const std::string& timeout_text) {
  app.add_option("--credentials", options.credentials,
                 "CHAP names and secrets, mode 0600 (searched: lunfs-credentials(5))")
      ->type_name("FILE");
  app.add_option("--initiator", options.initiator,
                 "name to log in with (what lunfs-iqn show prints)")
      ->type_name("IQN");
  app.add_option("--timeout", options.timeout_s,
                 fmt::format("{} ({})", timeout_text, options.timeout_s))
      ->type_name("S")
      ->check(CLI::Range(1U, kMaxTimeoutSeconds));
}

NamedSource name_source(const std::string& text, std::chrono::seconds limit) {
  const std::optional<NamedSource> source = call_within(limit, [text] { return named(text); });
  if (source) return *source;
  throw Error(ErrorKind::kTimedOut,
              fmt::format("{}: the file system did not answer for {} s", text, limit.count()))
      .because("it lies on a mount whose server or daemon hangs")
      .advise("look at the mounts above it with findmnt");
}

Json read_document(const NamedSource& source, const ReachOptions& options, std::string& notice) {
  if (source.kind == SourceKind::kMount) {
    return host::ask_mount_for_status(source.name, options.timeout());
  }
  auto reading = std::make_unique<Reading>();
  reading->source = source;
  reading->options = options;
  const WorkOwner<Reading> owner(std::move(reading));
  Reading& work = *owner;
  try {
    run_within(work, options.timeout(),
               [&work](RequestContext& context) { return read_all(context, work); });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kTimedOut && error.remedy().empty()) {
      throw Error(ErrorKind::kTimedOut, fmt::format("{}: {}", source.name, error.message()))
          .because("the storage is slow or does not answer")
          .advise("give it more time with --timeout");
    }
    throw;
  }
  notice = work.notice;
  return std::move(work.document);
}

}  // namespace lunfs::tools
