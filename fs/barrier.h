#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "fs/durability.h"
#include "fs/open_files.h"

namespace lunfs::fs {

/// Who asks that a file's writes have ended.
enum class Sync {
  kClose,         ///< and no more
  kDurableClose,  ///< that they are durable, too
  kFsync,         ///< the same; what it tells was told
};

/// What fsync(2), close(2) and syncfs(2) wait for, on every shard of the mount: each has writes of
/// its own in flight and a session of its own to flush. A shard that has nothing of either is not
/// bothered.
///
/// Constant after it was made. A call belongs to the thread of the shard `here` and returns there;
/// what it does on another shard runs on that one's thread.
class Barrier {
 public:
  struct Shard {
    Reactor& reactor;
    Durability& durability;
  };

  /// Those of the mount, by number; all of them outlive this.
  explicit Barrier(std::vector<Shard> shards) : shards_(std::move(shards)) {}

  /// Ends when the writes of the file that are in flight now have ended.
  Task<void> written(std::size_t here, OpenFile& file);

  /// As written(); but for kClose, what was acknowledged on the LUN is then durable. Ends by the
  /// device's or the context's Error, else by the file's failure that no fsync has told yet; of
  /// several by one, which is that of a cancelled wait only if there is no other.
  Task<void> settled(RequestContext& context, std::size_t here, OpenFile& file, Sync what);

  /// What was acknowledged on the LUN is durable; the device's Error.
  Task<void> flushed(std::size_t here, RequestContext& context);

  [[nodiscard]] std::size_t shards() const noexcept { return shards_.size(); }
  /// Of all sessions; see Durability. Any thread.
  [[nodiscard]] std::uint64_t losses() const noexcept;

 private:
  using Part = std::function<Task<void>(RequestContext& context, std::size_t shard)>;

  Task<void> on(std::vector<std::size_t> which, std::size_t here, RequestContext& context,
                Part part);
  Task<void> settle(RequestContext& context, std::size_t shard, OpenFile& file, Sync what);

  std::vector<Shard> shards_;
};

}  // namespace lunfs::fs
