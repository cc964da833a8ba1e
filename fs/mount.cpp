#include "fs/mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
#include "fs/kernel_hints.h"
#include "fs/operations.h"
#include "fs/privileges.h"
#include "fs/resume.h"
#include "fs/source.h"
#include "fs/status.h"
#include "fs/vg_lock.h"
#include "host/mount_table.h"
#include "host/run_directory.h"

namespace lunfs::fs {

namespace {

constexpr unsigned kFileThreads = 8;
/// What the end of a mount may take: dirty pages and the mount helper; the logout.
constexpr std::chrono::seconds kDetachLimit{30};
constexpr std::chrono::seconds kLogoutLimit{5};
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

/// Where a file system is mounted now, as mounts are moved and directories above them renamed.
std::optional<std::string> place_of(const std::string& device) {
  std::optional<std::string> place;
  for (const host::MountEntry& entry : host::all_mounts()) {
    if (entry.device == device) place = entry.mount_point;
  }
  return place;
}

/// Dirty pages of mapped files become writes now; umount(2) would do the same, MNT_DETACH does not.
/// @param device  of the mount, "major:minor"
void sync_file_system(const std::string& mount_point, const std::string& device) {
  const auto place = place_of(device);
  if (!place) {
    log::warn("{}: pages of mapped files may not be written: out of the tree already (umount -l)",
              mount_point);
    return;
  }
  const FileDescriptor root(open(place->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  const bool found = root.valid() && fstat(root.get(), &status) == 0;
  const bool ours =
      found && fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev)) == device;
  if (ours && syncfs(root.get()) == 0) return;
  log::warn("{}: pages of mapped files may not be written: {}", mount_point,
            found && !ours ? "another mount stands there" : std::strerror(errno));
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
  FileDescriptor signals = signal_descriptor();
  Cancellation cancellation;  ///< of the opening, by a signal
  RequestContext unlimited;   ///< of the last flush, which its waiting lets go of
  bool ending = false;
  std::string device;  ///< of the mount, "major:minor"
  Source source;
  std::shared_ptr<const sr::Catalog> catalog;
  std::string read_only_reason;
  std::optional<VgLock> lock;
  std::optional<sr::Quiescence> quiescence;
  std::optional<Durability> durability;
  std::optional<sr::Disks> disks;
  std::optional<View> view;
  OpenFiles files;
  SlabPool slabs;
  std::optional<IoOperations> io;
  std::optional<NameOperations> names;
  std::optional<Operations> operations;
  std::optional<ControlSocket> control;
  std::optional<Channel> channel;
  Reactor::Watch signal_watch;
  Reactor::Watch parent_watch;
};

Mount::Mount(MountOptions options, Watcher& watcher, int parent_fd)
    : options_(std::move(options)),
      watcher_(watcher),
      parent_fd_(parent_fd),
      parts_(std::make_unique<Parts>()),
      pool_(kFileThreads, give_up_all_rights),
      helper_(1, give_up_all_rights) {}

Mount::~Mount() = default;

Task<void> Mount::open_parts(RequestContext& context) {
  Parts& p = *parts_;
  p.source = co_await open_source(context, reactor_, pool_, options_);
  BlockDevice& device = *p.source.device;
  p.catalog = co_await sr::read_current_catalog(context, device, reactor_, options_.detached);
  decide_read_only();
  if (!p.read_only_reason.empty()) co_return;
  const lvm::VolumeGroup& group = *p.catalog->vg;
  const std::string identity = p.source.lun != nullptr ? p.source.lun->identity().designator +
                                                             p.source.lun->identity().serial
                                                       : options_.source;
  p.lock.emplace((group.uuid ? group.uuid->text() : group.name) + ":" + identity,
                 options_.mount_point);
  if (p.catalog->layout == sr::Layout::kXenServer) {
    p.quiescence.emplace(device, reactor_, p.catalog->vg);
    co_await p.quiescence->first_look(context);
  }
}

void Mount::decide_read_only() {
  Parts& p = *parts_;
  if (options_.read_only) {
    p.read_only_reason = "mounted with -o ro";
  } else if (!p.catalog->read_only_reason.empty()) {
    p.read_only_reason = p.catalog->read_only_reason;
  } else if (!p.source.read_only_notice.empty()) {
    p.read_only_reason = p.source.read_only_notice;
  } else if (p.source.device->geometry().read_only) {
    p.read_only_reason = "the LUN is write-protected by the target";
  }
}

void Mount::build() {
  Parts& p = *parts_;
  p.durability.emplace(*p.source.device, p.source.lun);
  // A live SR looks at each read.
  if (p.source.lun != nullptr && !p.catalog->may_change) {
    p.source.lun->set_resume_guard(unless_changed(p.catalog->vg));
  }
  p.disks.emplace(reactor_, *p.source.device, *p.catalog, options_.vhd_cache_bytes);
  p.view.emplace(p.catalog, *p.disks,
                 Ownership{.uid = options_.uid, .gid = options_.gid, .umask = options_.umask},
                 p.read_only_reason);
  p.io.emplace(reactor_, p.files, p.slabs,
               IoOperations::Medium{.durability = *p.durability,
                                    .quiescence = p.quiescence ? &*p.quiescence : nullptr,
                                    .sync_on_close = options_.sync_on_close,
                                    .waits_for_ever = options_.timeout.count() == 0});
  const std::string directory = host::run_directory();
  const auto& uuid = p.catalog->vg->uuid;
  const auto status = [this] {
    const Parts& parts = *parts_;
    return StatusInput{.source = parts.source,
                       .mount_point = options_.mount_point,
                       .control_socket = parts.control->path(),
                       .catalog = *parts.catalog,
                       .read_only_reason = parts.read_only_reason,
                       .io = *parts.io,
                       .vhd_cache = parts.disks->cache()};
  };
  p.control.emplace(reactor_,
                    directory.empty() ? directory
                                      : fmt::format("{}/{}-{}.sock", directory,
                                                    uuid ? uuid->compact() : "vg", getpid()),
                    [status] { return status_json(status()); });
  p.names.emplace(reactor_, *p.view, p.files,
                  NameOperations::Policy{.direct_always = options_.cache == CacheMode::kNone,
                                         .durability = &*p.durability},
                  [status](NodeKind kind) {
                    return kind == NodeKind::kStatus ? status_json(status())
                                                     : metrics_text(status());
                  });
  p.operations.emplace(Operations{.names = *p.names, .io = *p.io});
  p.channel.emplace(reactor_, p.slabs, operation_table(), &*p.operations, fuse_options());
  p.operations->channel = &*p.channel;
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
  if (!p.source.initiator_notice.empty()) lines.push_back(p.source.initiator_notice);
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
  open_all();
  build();
  serve(ready);
  if (ending) ending();
  const std::string lost = run_until_done(reactor_, finish());
  parts_->control->tell_end(lost);
  return lost;
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
  p.operations->on_ready = [this, &ready] {
    // INIT is answered when this returns: the mount is usable from the next turn on.
    reactor_.post([this, &ready] {
      parts_->parent_watch = {};
      if (options_.cache == CacheMode::kAuto) raise_read_ahead(options_.mount_point);
      give_up_all_rights();  // not before INIT is answered: the kernel looks at them then
      ready(notices());
    });
  };
  if (options_.scheduling == Scheduling::kBatch) schedule_as_batch();
  watcher_.before_mount();
  p.channel->mount(options_.mount_point, [this] { reactor_.stop(); });
  try {
    watcher_.after_mount();
  } catch (...) {  // a mount that nobody could remove later
    p.channel->undo_mount();
    throw;
  }
  if (const auto entry = host::find_mount(options_.mount_point)) p.device = entry->device;
  log::info("mounted source={} on {} vg={} volumes={}", p.source.shown, options_.mount_point,
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
  if (!p.channel || std::exchange(p.ending, true)) return;
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
    sync_file_system(mount_point, parts_->device);
    // Somebody was quicker, and another mount may stand there by now.
    if (!parts_->channel->ended()) watcher_.remove();
  }));
  co_await removal.wait(limit);
}

Task<std::string> Mount::finish() {
  Parts& p = *parts_;
  const std::chrono::seconds most = std::max(kLeastEndLimit, options_.timeout + kEndGrace);
  p.channel->stop();  // first: no write comes in any more that the flush would miss
  std::vector<std::string> failures;
  try {
    RequestContext limit = RequestContext::within(most);
    co_await p.io->drained(limit);
  } catch (const Error& error) {
    failures.push_back(fmt::format("{} requests were not answered: {}",
                                   p.io->statistics().in_flight(), error.message()));
  }
  Attempt flush(reactor_, p.durability->flush(p.unlimited));
  try {
    RequestContext limit = RequestContext::within(most);
    co_await flush.wait(limit);
  } catch (const Error& error) {
    const std::string at_stake = p.durability->at_stake();
    failures.push_back(
        fmt::format("not everything written is known to be durable{}: {}",
                    at_stake.empty() ? "" : fmt::format(" ({})", at_stake),
                    error.kind() == ErrorKind::kTimedOut
                        ? fmt::format("no answer to the last flush for {} s", most.count())
                        : error.message()));
  }
  if (p.durability->losses() > 0) {
    failures.push_back(fmt::format(
        "acknowledged writes may have been lost: {} times the session was lost before a flush",
        p.durability->losses()));
  }
  if (p.source.lun != nullptr) {
    RequestContext limit = RequestContext::within(kLogoutLimit);
    co_await p.source.lun->logout(limit);
    co_await bring_back(flush);
  }
  const std::string lost = fmt::format("{}", fmt::join(failures, "; "));
  if (!lost.empty()) log::error("unmounting {}: {}", options_.mount_point, lost);
  log::info("unmounted {}", options_.mount_point);
  co_return lost;
}

/// The end of the session has ended what was in flight: lets it come back before its parts go.
Task<void> Mount::bring_back(Attempt& flush) {
  RequestContext limit = RequestContext::within(kLogoutLimit);
  try {
    co_await parts_->io->drained(limit);
    co_await flush.wait(limit);
  } catch (const Error& error) {
    log::debug("after the logout: {}", error.message());
  }
}

}  // namespace lunfs::fs
