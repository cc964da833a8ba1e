#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/attempt.h"
#include "base/reactor.h"
#include "base/thread_pool.h"
#include "fs/barrier.h"
#include "fs/channel.h"
#include "fs/disk_table.h"
#include "fs/durability.h"
#include "fs/first_write.h"
#include "fs/io_operations.h"
#include "fs/name_operations.h"
#include "fs/operations.h"
#include "fs/options.h"
#include "fs/shard_report.h"
#include "fs/source.h"
#include "fs/vg_look.h"
#include "fs/vg_watch.h"
#include "volume/sr/disks.h"

namespace lunfs::fs {

/// What serves requests on one thread: a session, the disks as they are opened on it, buffers, the
/// requests in flight, a channel to the kernel. It shares with the other shards of its mount only
/// what is made for many threads. The reactor's thread only, but for what says otherwise; what is
/// built before the thread serves may be built by another.
struct Shard {
  /// What all shards of a mount stand on; outlives them.
  struct Common {
    const MountOptions& options;
    const sr::Catalog& catalog;
    const View& view;
    OpenFiles& files;
    NameOperations& names;
    Barrier& barrier;
    LunSpace& space;
    FirstWrite* first_write;  ///< null: see IoOperations::Medium
    std::vector<std::string> fuse_options;
  };

  Shard(Reactor& own_reactor, std::size_t own_number) : reactor(own_reactor), number(own_number) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard() { close(); }

  /// A further session with the LUN of the first shard, whose `catalog` was read there. Errors:
  /// those of open_source(); kUnsupported if it is another LUN, kBusy if the VG was changed.
  Task<void> open(RequestContext& context, ThreadPool& pool, const MountOptions& options,
                  const Shard& first, const sr::Catalog& catalog);
  /// With all sessions open: kUnsupported if the target has ended this one for another's sake.
  Task<void> confirm(RequestContext& context, const MountOptions& options) const;
  /// A new session, when this one is lost, must find the VG unchanged, or as far changed as `watch`
  /// sees to. Where a pool may be at work each read looks for itself.
  void guard_resume(const sr::Catalog& catalog);
  /// With `source` and `durability` there: everything up to the channel, which is not mounted yet.
  void build(const Common& common);

  /// Tells what report() returns from now on.
  void publish();
  /// As it was when publish() was last called. Any thread.
  [[nodiscard]] ShardReport report() const;
  /// Publishes every second from now on.
  void keep_publishing();
  /// Calls `told` at the end of each turn, with whether the session is up, until the drain. For a
  /// source that is a LUN.
  void watch_session(std::function<void(bool up)> told);

  // The end, in this order; all shards take a step before one takes the next, as each may wait for
  // what another still does. What was not saved joins `failures`.

  /// Stops reading requests and waits for those in flight.
  Task<void> drain(std::chrono::seconds most);
  Task<void> flush(std::chrono::seconds most);
  /// Logs out, and lets come back what that has ended.
  Task<void> leave();

  /// Gives up all but the source. Nobody uses the shard any more.
  void close() noexcept;

  Reactor& reactor;
  const std::size_t number;
  Source source;
  VgWatch* watch = nullptr;  ///< of a VG that another host may change; set before open(); or null
  std::optional<VgLook> look;
  std::optional<Durability> durability;
  std::optional<sr::Disks> disks;
  std::optional<DiskTable> table;
  SlabPool slabs;
  std::optional<IoOperations> io;
  std::optional<Operations> operations;
  std::optional<Channel> channel;
  std::vector<std::string> failures;

 private:
  Task<void> verify(RequestContext& context, const Shard& first, const sr::Catalog& catalog);

  RequestContext unlimited_;  ///< of the last flush, which its waiting lets go of
  std::optional<Attempt> last_flush_;
  Reactor::Timer publish_again_;
  Reactor::Hook look_at_session_;
  mutable std::mutex mutex_;
  ShardReport published_;  ///< guarded by mutex_
};

}  // namespace lunfs::fs
