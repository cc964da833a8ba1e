#include "fs/mount.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/attempt.h"
#include "base/error.h"
#include "base/log.h"
#include "base/run.h"
#include "fs/channel.h"
#include "fs/control_socket.h"
#include "fs/dirty_pages.h"
#include "fs/kernel_hints.h"
#include "fs/privileges.h"
#include "fs/shards.h"
#include "fs/status.h"
#include "fs/vg_lock.h"
#include "host/mount_table.h"
#include "host/run_directory.h"

namespace lunfs::fs {

namespace {

constexpr unsigned kFileThreads = 8;
/// What the end of a mount may take: dirty pages and the mount helper.
constexpr std::chrono::seconds kDetachLimit{30};
/// Requests in flight, and the flush, each; or the mount's `timeout`, if that is longer.
constexpr std::chrono::seconds kLeastEndLimit{30};
/// Lets a request that waits for `timeout` say itself why it failed.
constexpr std::chrono::seconds kEndGrace{2};

FileDescriptor signal_descriptor() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  FileDescriptor fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) throw system_error(errno, "watching for signals");
  return fd;
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// Commas and backslashes mean something to FUSE's option parser.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == ',' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

/// What the mount is made of, in the order in which it is built; it ends in the reverse order.
struct Mount::Parts {
  explicit Parts(Reactor& reactor) : first(reactor, 0) {}
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() {
    shards.reset();
    first.close();
  }

  FileDescriptor signals = signal_descriptor();
  Cancellation cancellation;  ///< of the opening, by a signal
  bool ending = false;
  std::string device;  ///< of the mount, "major:minor"
  std::optional<View> view;
  std::optional<VgWatch> watch;  ///< of a plain VG, which other hosts may change
  std::optional<LunSpace> space;
  Shard first;  ///< the one that has mounted; on the mount's thread
  std::shared_ptr<const sr::Catalog> catalog;
  std::string read_only_reason;
  std::optional<VgLock> lock;
  std::optional<sr::Quiescence> quiescence;
  std::optional<FirstWrite> first_write;
  OpenFiles files;
  std::optional<Barrier> barrier;
  std::optional<NameOperations> names;
  std::optional<Shards> shards;
  std::optional<ControlSocket> control;
  Reactor::Watch signal_watch;
  Reactor::Watch parent_watch;
};

Mount::Mount(MountOptions options, Watcher& watcher, int parent_fd)
    : options_(std::move(options)),
      watcher_(watcher),
      parent_fd_(parent_fd),
      parts_(std::make_unique<Parts>(reactor_)),
      pool_(kFileThreads, give_up_all_rights),
      helper_(1, give_up_all_rights) {}

Mount::~Mount() { stop_threads(); }

/// Before what the further shards stand on goes: the pools, this.
void Mount::stop_threads() noexcept {
  if (parts_->shards) parts_->shards->stop_threads();
}

Task<void> Mount::open_parts(RequestContext& context) {
  Parts& p = *parts_;
  Source& source = p.first.source;
  source = co_await open_source(context, reactor_, pool_, options_);
  BlockDevice& device = *source.device;
  p.catalog = co_await sr::read_current_catalog(context, device, reactor_, options_.detached);
  decide_read_only();
  if (p.read_only_reason.empty()) co_await claim_for_writing(context);
  build_view();
  const bool as_batch = options_.scheduling == Scheduling::kBatch;
  p.shards.emplace(p.first, options_.sessions, as_batch ? schedule_as_batch : nullptr);
  for (std::size_t i = 0; p.watch && i < p.shards->count(); ++i) p.shards->at(i).watch = &*p.watch;
  Shards::Work open = [this](Shard& shard, RequestContext& there) {
    return shard.open(there, pool_, options_, parts_->first, *parts_->catalog);
  };
  co_await p.shards->on_further(context, std::move(open));
  if (options_.sessions == 1) co_return;
  Shards::Work confirm = [this](Shard& shard, RequestContext& there) {
    return shard.confirm(there, options_);
  };
  co_await p.shards->on_all(context, std::move(confirm));
}

Task<void> Mount::claim_for_writing(RequestContext& context) {
  Parts& p = *parts_;
  const Source& source = p.first.source;
  const lvm::VolumeGroup& group = *p.catalog->vg;
  const std::string identity =
      source.lun != nullptr ? source.lun->identity().designator + source.lun->identity().serial
                            : options_.source;
  p.lock.emplace((group.uuid ? group.uuid->text() : group.name) + ":" + identity,
                 options_.mount_point);
  if (p.catalog->layout == sr::Layout::kXenServer) {
    p.quiescence.emplace(*source.device, reactor_, p.catalog->vg);
    p.first_write.emplace(*p.quiescence, reactor_);
    co_await p.quiescence->first_look(context);
  }
}

void Mount::decide_read_only() {
  Parts& p = *parts_;
  if (options_.read_only) {
    p.read_only_reason = "mounted with -o ro";
  } else if (!p.catalog->read_only_reason.empty()) {
    p.read_only_reason = p.catalog->read_only_reason;
  } else if (!p.first.source.read_only_notice.empty()) {
    p.read_only_reason = p.first.source.read_only_notice;
  } else if (p.first.source.device->geometry().read_only) {
    p.read_only_reason = "the LUN is write-protected by the target";
  }
}

void Mount::build_view() {
  Parts& p = *parts_;
  p.view.emplace(p.catalog,
                 Ownership{.uid = options_.uid, .gid = options_.gid, .umask = options_.umask},
                 p.read_only_reason);
  p.space.emplace(p.first.source.shown);
  // Of an SR it is stated that nobody changes it, or each read looks for itself.
  if (p.catalog->layout == sr::Layout::kPlain && !p.catalog->may_change) p.watch.emplace(*p.view);
}

void Mount::build() {
  Parts& p = *parts_;
  p.first.guard_resume(*p.catalog);
  std::vector<Barrier::Shard> sessions;
  for (std::size_t i = 0; i < p.shards->count(); ++i) {
    Shard& shard = p.shards->at(i);
    shard.durability.emplace(*shard.source.device, shard.source.lun);
    sessions.push_back({shard.reactor, *shard.durability});
  }
  p.barrier.emplace(std::move(sessions));
  const auto status = [this] {
    const Parts& parts = *parts_;
    return StatusInput{.source = parts.first.source,
                       .mount_point = options_.mount_point,
                       .control_socket = parts.control->path(),
                       .catalog = parts.view->catalog(),
                       .vg_changes = parts.watch ? parts.watch->changes() : 0,
                       .out_of_space = parts.space->full(),
                       .read_only_reason = parts.read_only_reason,
                       .shards = parts.shards->reports()};
  };
  p.names.emplace(*p.view, p.files,
                  NameOperations::Policy{.direct_always = options_.cache == CacheMode::kNone,
                                         .barrier = &*p.barrier,
                                         .may_change = p.watch.has_value()},
                  [status](NodeKind kind) {
                    return kind == NodeKind::kStatus ? status_json(status())
                                                     : metrics_text(status());
                  });
  const Shard::Common common{.options = options_,
                             .catalog = *p.catalog,
                             .view = *p.view,
                             .files = p.files,
                             .names = *p.names,
                             .barrier = *p.barrier,
                             .space = *p.space,
                             .first_write = p.first_write ? &*p.first_write : nullptr,
                             .fuse_options = fuse_options()};
  for (std::size_t i = 0; i < p.shards->count(); ++i) p.shards->at(i).build(common);
  p.shards->share_channels();
  const std::string directory = host::run_directory();
  const auto& uuid = p.catalog->vg->uuid;
  p.control.emplace(reactor_,
                    directory.empty() ? directory
                                      : fmt::format("{}/{}-{}.sock", directory,
                                                    uuid ? uuid->compact() : "vg", getpid()),
                    [status] { return status_json(status()); });
}

std::vector<std::string> Mount::fuse_options() const {
  // As the caller spelt it, or mount -a, which compares it with fstab's, mounts it a second time.
  const std::string& shown = options_.fsname.empty() ? options_.source : options_.fsname;
  std::vector<std::string> all = {"default_permissions", "max_read=1048576",
                                  "fsname=" + escaped(shown),
                                  "subtype=" + escaped(options_.subtype)};
  if (options_.allow_other) all.emplace_back("allow_other");
  if (!parts_->read_only_reason.empty()) all.emplace_back("ro");
  for (const char* safe : {"nosuid", "nodev"}) all.emplace_back(safe);
  all.insert(all.end(), options_.kernel_options.begin(), options_.kernel_options.end());
  return all;
}

std::vector<std::string> Mount::notices() const {
  const Parts& p = *parts_;
  std::vector<std::string> lines;
  const std::string& initiator = p.first.source.initiator_notice;
  if (!initiator.empty()) lines.push_back(initiator);
  if (!options_.read_only && !p.read_only_reason.empty()) {
    lines.push_back("mounted read-only: " + p.read_only_reason);
  }
  const auto& hidden = p.catalog->not_shown;
  const auto faulty =
      std::count_if(hidden.begin(), hidden.end(), [](const auto& n) { return n.faulty; });
  if (faulty > 0) {
    lines.push_back(fmt::format("{} volume{} not be shown; .lunfs/status.json says why", faulty,
                                faulty == 1 ? " can" : "s can"));
  }
  for (const std::string& warning : p.catalog->vg->warnings) lines.push_back(warning);
  for (const std::string& warning : p.catalog->warnings) lines.push_back(warning);
  return lines;
}

std::string Mount::run(const Ready& ready, const Ending& ending) {
  try {
    open_all();
    build();
    serve(ready);
    if (ending) ending();
    const std::string lost = run_until_done(reactor_, finish());
    stop_threads();
    parts_->control->tell_end(lost);
    return lost;
  } catch (...) {
    stop_threads();  // the process may end without this object's
    throw;
  }
}

void Mount::open_all() {
  Parts& p = *parts_;
  p.signal_watch = reactor_.watch(p.signals.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  if (parent_fd_ >= 0) {
    // No event is asked for: a pipe whose reader has gone tells by itself.
    p.parent_watch = reactor_.watch(parent_fd_, 0, [this](std::uint32_t) {
      parts_->parent_watch = {};
      end_early("the process that started the mount has ended");
    });
  }
  RequestContext opening;
  opening.cancellation = &p.cancellation;
  try {
    run_until_done(reactor_, open_parts(opening));
    opening.check();  // a signal may have come in the very last turn
  } catch (const Error&) {
    if (!p.cancellation.requested()) throw;
    throw Error(ErrorKind::kCancelled, "interrupted before anything was mounted");
  }
}

void Mount::serve(const Ready& ready) {
  Parts& p = *parts_;
  p.first.operations->on_ready = [this, &ready] {
    // INIT is answered when this returns: the mount is usable from the next turn on.
    reactor_.post([this, &ready] {
      parts_->parent_watch = {};
      spawn(parts_->shards->start_channels(), [this, &ready](const std::exception_ptr& failure) {
        if (failure) log::error("not every session serves: {}", text_of(failure));
        if (options_.cache == CacheMode::kAuto) raise_read_ahead(options_.mount_point);
        give_up_all_rights();  // not before INIT is answered: the kernel looks at them then
        ready(notices());
      });
    });
  };
  if (options_.scheduling == Scheduling::kBatch) schedule_as_batch();
  watcher_.before_mount();
  p.first.channel->mount(options_.mount_point, [this] { reactor_.stop(); });
  try {
    watcher_.after_mount();
    p.shards->join_channels();
  } catch (...) {  // a mount that nobody could remove later, or that has too few sessions
    p.first.channel->undo_mount();
    throw;
  }
  if (const auto entry = host::find_mount(options_.mount_point)) p.device = entry->device;
  log::info("mounted source={} on {} vg={} volumes={}", p.first.source.shown, options_.mount_point,
            p.catalog->vg->name, p.catalog->volumes.size());
  reactor_.run();
}

void Mount::on_signal() {
  signalfd_siginfo info{};
  if (read(parts_->signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  end_early(fmt::format("signal {}", info.ssi_signo));
}

void Mount::end_early(std::string_view why) {
  Parts& p = *parts_;
  p.cancellation.request();
  if (!p.first.channel || std::exchange(p.ending, true)) return;
  log::info("{}: unmounting {}", why, options_.mount_point);
  spawn(detach(), [this](const std::exception_ptr& failure) {
    if (failure) log::warn("{} stays mounted: {}", options_.mount_point, text_of(failure));
    reactor_.stop();
  });
}

/// Takes the mount out of the tree while requests are served as ever: dirty pages of files that are
/// mapped come as writes, and the mount helper may look at the mount.
Task<void> Mount::detach() {
  RequestContext limit = RequestContext::within(kDetachLimit);
  Attempt removal(reactor_, helper_.run(reactor_, [this, mount_point = options_.mount_point] {
    write_dirty_pages(mount_point, parts_->device);
    // Somebody was quicker, and another mount may stand there by now.
    if (!parts_->first.channel->ended()) watcher_.remove();
  }));
  co_await removal.wait(limit);
}

Task<std::string> Mount::finish() {
  Shards& shards = *parts_->shards;
  RequestContext unlimited;  // each step has a limit of its own
  const std::chrono::seconds most = std::max(kLeastEndLimit, options_.timeout + kEndGrace);
  Shards::Work drain = [most](Shard& shard, RequestContext&) { return shard.drain(most); };
  co_await shards.on_all(unlimited, std::move(drain));
  Shards::Work flush = [most](Shard& shard, RequestContext&) { return shard.flush(most); };
  co_await shards.on_all(unlimited, std::move(flush));
  Shards::Work leave = [](Shard& shard, RequestContext&) { return shard.leave(); };
  co_await shards.on_all(unlimited, std::move(leave));
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < shards.count(); ++i) {
    const std::vector<std::string>& of_shard = shards.at(i).failures;
    failures.insert(failures.end(), of_shard.begin(), of_shard.end());
  }
  const std::string lost = fmt::format("{}", fmt::join(failures, "; "));
  if (!lost.empty()) log::error("unmounting {}: {}", options_.mount_point, lost);
  log::info("unmounted {}", options_.mount_point);
  co_return lost;
}

}  // namespace lunfs::fs
