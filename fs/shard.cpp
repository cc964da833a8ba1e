#include "fs/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "fs/privileges.h"
#include "fs/resume.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::fs {

namespace {

constexpr std::chrono::seconds kPublishEvery{1};
/// What the end of a mount may take for it.
constexpr std::chrono::seconds kLogoutLimit{5};

}  // namespace

Task<void> Shard::open(RequestContext& context, ThreadPool& pool, const MountOptions& options,
                       const Shard& first, const sr::Catalog& catalog) {
  try {
    const SourceOrigin origin{.first = &first.source, .number = number};
    source = co_await open_source(context, reactor, pool, options, origin);
    co_await verify(context, first, catalog);
    guard_resume(catalog);
    give_up_all_rights();  // this thread's; the mounting is the first shard's
  } catch (Error& error) {
    error.add_context(fmt::format("session {} of {}", number + 1, options.sessions));
    error.set_cause("the target allows fewer sessions with this initiator");
    error.set_remedy("mount with fewer sessions=");
    throw;
  }
}

/// Two portals of a name, or a target that was changed meanwhile, must not lead elsewhere.
Task<void> Shard::verify(RequestContext& context, const Shard& first, const sr::Catalog& catalog) {
  const iscsi::LunIdentity& expected = first.source.lun->identity();
  const iscsi::LunIdentity& found = source.lun->identity();
  if (!(found == expected)) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("it leads to another LUN: serial={} id={} {} bytes; expected serial={} "
                            "id={} {} bytes",
                            found.serial, found.designator, found.size_bytes, expected.serial,
                            expected.designator, expected.size_bytes))
        .because("the LUN was changed on the array while it was being mounted")
        .advise("mount again; if it stays so, mount with sessions=1");
  }
  const lvm::VolumeGroup& vg = *catalog.vg;
  const bool current = co_await lvm::is_still_current(context, *source.device, vg);
  if (current) co_return;
  // Where a pool may be at work every read looks at the VG itself; but it must be the same VG.
  const std::shared_ptr<const lvm::VolumeGroup> now =
      co_await lvm::read_volume_group(context, *source.device, reactor);
  if (catalog.may_change && now->name == vg.name && now->uuid == vg.uuid) co_return;
  throw Error(ErrorKind::kBusy,
              fmt::format("VG {} was changed while it was being mounted", vg.name))
      .because("a host uses the LUN")
      .advise("see to it that no other host changes the VG, and mount again");
}

Task<void> Shard::confirm(RequestContext& context, const MountOptions& options) const {
  RequestContext limited = context;
  limited.deadline = std::min(context.deadline, Reactor::Clock::now() + options.login_timeout);
  std::array<std::byte, 512> some{};
  co_await source.device->read(limited, 0, some);
  if (source.lun->state().outages == 0) co_return;
  throw Error(ErrorKind::kUnsupported,
              fmt::format("session {} of {}: the target ended it when another had logged in",
                          number + 1, options.sessions))
      .because("the target allows fewer sessions with this initiator")
      .advise("mount with fewer sessions=");
}

void Shard::guard_resume(const sr::Catalog& catalog) {
  if (source.lun == nullptr || catalog.may_change) return;
  source.lun->set_resume_guard(watch != nullptr ? watch->guard(reactor)
                                                : unless_changed(catalog.vg));
}

void Shard::build(const Common& common) {
  const MountOptions& options = common.options;
  const std::size_t shards = common.barrier.shards();
  disks.emplace(reactor, *source.device, common.catalog, options.vhd_cache_bytes / shards);
  table.emplace(common.view, *disks);
  if (watch != nullptr) look.emplace(*watch, reactor, source);
  // The only shard: several have no journal.
  if (watch != nullptr && source.lun != nullptr && shards == 1) {
    watch->set_on_revoked(
        [this] { source.lun->forget_unflushed("another host has changed the VG"); });
  }
  io.emplace(reactor, common.files, slabs,
             IoOperations::Medium{.disks = *table,
                                  .durability = *durability,
                                  .barrier = common.barrier,
                                  .space = common.space,
                                  .shard = number,
                                  .first_write = common.first_write,
                                  .look = look ? &*look : nullptr,
                                  .sync_on_close = options.sync_on_close,
                                  .waits_for_ever = options.timeout.count() == 0});
  operations.emplace(Operations{.names = common.names, .io = *io, .look = look ? &*look : nullptr});
  channel.emplace(reactor, slabs, operation_table(), &*operations, common.fuse_options);
  operations->channel = &*channel;
}

void Shard::publish() {
  ShardReport report = ShardReport::of(source, *io, disks->cache());
  const std::lock_guard lock(mutex_);
  published_ = std::move(report);
}

ShardReport Shard::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void Shard::keep_publishing() {
  publish();
  publish_again_ = reactor.at(Reactor::Clock::now() + kPublishEvery, [this] { keep_publishing(); });
}

void Shard::watch_session(std::function<void(bool up)> told) {
  look_at_session_ =
      reactor.at_turn_end([this, told = std::move(told)] { told(source.lun->connected()); });
}

Task<void> Shard::drain(std::chrono::seconds most) {
  look_at_session_ = {};
  channel->stop();  // first: no write comes in any more that the flush would miss
  try {
    RequestContext limit = RequestContext::within(most);
    co_await io->drained(limit);
  } catch (const Error& error) {
    failures.push_back(fmt::format("{} requests were not answered: {}",
                                   io->statistics().in_flight(), error.message()));
  }
}

Task<void> Shard::flush(std::chrono::seconds most) {
  last_flush_.emplace(reactor, durability->flush(unlimited_));
  try {
    RequestContext limit = RequestContext::within(most);
    co_await last_flush_->wait(limit);
  } catch (const Error& error) {
    const std::string at_stake = durability->at_stake();
    failures.push_back(
        fmt::format("not everything written is known to be durable{}: {}",
                    at_stake.empty() ? "" : fmt::format(" ({})", at_stake),
                    error.kind() == ErrorKind::kTimedOut
                        ? fmt::format("no answer to the last flush for {} s", most.count())
                        : error.message()));
  }
  if (durability->losses() > 0) {
    failures.push_back(fmt::format(
        "acknowledged writes may have been lost: {} times the session was lost before a flush",
        durability->losses()));
  }
}

Task<void> Shard::leave() {
  if (source.lun != nullptr) {
    RequestContext limit = RequestContext::within(kLogoutLimit);
    co_await source.lun->logout(limit);
  }
  // The end of the session has ended what was in flight: lets it come back before its parts go.
  RequestContext again = RequestContext::within(kLogoutLimit);
  try {
    if (look) co_await look->drained(again);
    co_await io->drained(again);
    co_await last_flush_->wait(again);
  } catch (const Error& error) {
    log::debug("after the logout: {}", error.message());
  }
}

void Shard::close() noexcept {
  publish_again_ = {};
  look_at_session_ = {};
  last_flush_.reset();
  channel.reset();
  operations.reset();
  io.reset();
  look.reset();
  table.reset();
  disks.reset();
  durability.reset();
}

}  // namespace lunfs::fs
