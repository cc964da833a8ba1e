#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "fs/shard.h"
#include "fs/up_sessions.h"

namespace lunfs::fs {

/// The shards of a mount: the first, on the thread that runs the mount, and further ones on threads
/// of their own, which turn from the beginning to the end of this. For the first one's thread, but
/// for what says otherwise.
class Shards {
 public:
  /// @param prepare_thread  called on each further thread before anything else; may be null
  Shards(Shard& first, std::size_t count, const std::function<void()>& prepare_thread);
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;
  /// Ends the further threads, then their shards. The first one is its owner's.
  ~Shards();

  /// Ends the further threads; nothing is done on a further shard after that.
  void stop_threads() noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return further_.size() + 1; }
  /// By number; 0 is the first.
  [[nodiscard]] Shard& at(std::size_t number) const noexcept;

  using Work = std::function<Task<void>(Shard& shard, RequestContext& context)>;
  /// Does `work` on each shard, or each but the first, all at once, each on its thread. Ends when
  /// the last one has ended; by the first's exception.
  Task<void> on_all(RequestContext& context, Work work) { return on(0, context, std::move(work)); }
  Task<void> on_further(RequestContext& context, Work work) {
    return on(1, context, std::move(work));
  }

  /// With all channels built, before the first one mounts: they serve one connection.
  void share_channels();
  /// The first channel has mounted: the others get their descriptors. Errors of Channel::join().
  void join_channels();
  /// The first channel has met the kernel's INIT: ends when the others serve, too.
  Task<void> start_channels();

  /// Has all shards tell anew what reports() returns, then calls `then`, on the thread of `here`,
  /// which calls this. A shard that does not answer within 200 ms is not waited for.
  void renew_reports(Shard& here, std::function<void()> then);
  /// What each shard tells: of this moment where there is one only, else of the last
  /// renew_reports(), at most a second old. Any thread.
  [[nodiscard]] std::vector<ShardReport> reports() const;

 private:
  struct Further;

  Task<void> on(std::size_t from, RequestContext& context, Work work);
  Task<void> start_channel(Shard& shard, std::vector<std::byte> init);
  void tell_others(std::size_t from, const std::vector<std::byte>& interrupt) const;
  void note_session(const Shard& shard, bool up);
  void take_or_leave(Shard& shard) const;

  Shard& first_;
  UpSessions up_;
  std::vector<std::unique_ptr<Further>> further_;
};

}  // namespace lunfs::fs
