#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "fs/barrier.h"
#include "fs/byte_budget.h"
#include "fs/disk_table.h"
#include "fs/durability.h"
#include "fs/failure_log.h"
#include "fs/first_write.h"
#include "fs/open_files.h"
#include "fs/reply.h"
#include "fs/slab_pool.h"
#include "fs/statistics.h"
#include "fs/vg_look.h"

namespace lunfs::fs {

/// The requests that move bytes. Each runs as a coroutine of its own and answers by itself; a
/// failure is answered with the errno of its Error and logged. One for each shard of a mount; the
/// shard's thread only.
///
/// After its answer a request touches the open file no more: it may be closed by then.
///
/// A request has no deadline of its own. It ends because each of its commands does, by an answer or
/// when the mount's `timeout` is over; of a flush or of the zeroing at a close, too. With timeout=0
/// a target that is mute or away keeps it for ever, as asked, unless a signal interrupts it; the
/// end of the mount lets go of it.
class IoOperations {
 public:
  /// What the requests work on; all of it outlives them.
  struct Medium {
    DiskTable& disks;
    Durability& durability;
    Barrier& barrier;
    LunSpace& space;
    std::size_t shard = 0;  ///< this one's number in the barrier and in the ledgers of files
    /// Null where the first write needs no look at the SR.
    FirstWrite* first_write = nullptr;
    /// Null where the VG is not watched.
    VgLook* look = nullptr;
    bool sync_on_close = true;
    /// timeout=0: a signal is the only way out of an outage, for fsync(2) and close(2), too.
    bool waits_for_ever = false;
  };

  IoOperations(Reactor& reactor, OpenFiles& files, SlabPool& slabs, Medium medium);

  /// Answers when it is known whether the VG is what it was; at once where nobody looks.
  using OpenAnswer = std::function<void(Reply)>;
  void open(Reply reply, bool writing, OpenAnswer answer);
  void read(Reply reply, std::uint64_t handle, std::uint64_t offset, std::size_t size);
  /// @param payload  lies in `slab`, which the request keeps until it has ended
  void write(Reply reply, std::uint64_t handle, std::uint64_t offset,
             std::span<const std::byte> payload, SlabPool::Slab slab);
  /// close(2): waits for the handle's writes, reports their error, makes them durable. What it
  /// reports the next fsync reports again: it may be the close of a duplicate.
  void flush(Reply reply, std::uint64_t handle);
  void fsync(Reply reply, std::uint64_t handle);
  /// syncfs(2): makes durable what was acknowledged. The kernel has waited for its own writes.
  void sync(Reply reply);
  void fallocate(Reply reply, std::uint64_t handle, int mode, std::uint64_t offset,
                 std::uint64_t length);
  void seek(Reply reply, std::uint64_t handle, std::uint64_t offset, int whence);
  /// Inside the daemon, at most 64 MiB a call.
  struct CopyRange {
    std::uint64_t from_handle;
    std::uint64_t from;
    std::uint64_t to_handle;
    std::uint64_t to;
    std::uint64_t length;
  };
  void copy(Reply reply, CopyRange range);

  [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
  [[nodiscard]] const ByteBudget& budget() const noexcept { return budget_; }

  /// Ends when no request is in flight; by kTimedOut if the context's deadline comes first.
  Task<void> drained(RequestContext& context);

 private:
  struct Request;
  struct Change;

  std::unique_ptr<Request> begin(Operation operation, Reply reply);
  void run(std::unique_ptr<Request> request, Task<void> task);
  void fail(Request& request, const std::exception_ptr& failure);

  Task<void> do_open(Request& request, bool writing, OpenAnswer answer);
  Task<void> do_read(Request& request, std::uint64_t handle, std::uint64_t offset,
                     std::size_t size);
  Task<void> do_write(Request& request, std::uint64_t handle, std::uint64_t offset,
                      std::span<const std::byte> payload);
  Task<void> do_flush(Request& request, std::uint64_t handle, Sync what);
  Task<void> make_durable(RequestContext& context, OpenFile& file, Sync what);
  Task<void> do_sync(Request& request);
  struct Range {
    std::uint64_t offset;
    std::uint64_t length;
  };
  Task<void> do_fallocate(Request& request, std::uint64_t handle, int mode, Range range);
  Task<void> zero(Request& request, OpenFile& file, Range range, bool may_unmap);
  Task<void> do_seek(Request& request, std::uint64_t handle, std::uint64_t offset, bool hole);
  Task<void> do_copy(Request& request, CopyRange range);
  Task<void> copy_pieces(Request& request, const OpenFile& source, const OpenFile& sink,
                         CopyRange range);
  /// before_write() has nothing to do.
  [[nodiscard]] bool may_write_at_once(const OpenFile& file) const;
  Task<void> before_write(RequestContext& context, const OpenFile& file);
  /// The file's device, which the caller holds; with its context a request that was not sent yet
  /// fails when the file's LV is not what it was any more.
  using Device = std::shared_ptr<BlockDevice>;
  [[nodiscard]] Device device_of(RequestContext& context, const OpenFile& file) {
    context.revocation = &file.node->revocation;
    return medium_.disks.of(*file.node);
  }
  [[nodiscard]] Truncation::Writer writer_on(BlockDevice& device) {
    return {reactor_, device, medium_.durability};
  }
  [[nodiscard]] WriteLedger& ledger_of(OpenFile& file) const noexcept {
    return file.ledgers[medium_.shard];
  }

  Reactor& reactor_;
  OpenFiles& files_;
  SlabPool& slabs_;
  Medium medium_;
  ByteBudget budget_;
  WakeUp request_ended_;  ///< woken when the last one in flight has ended
  Statistics statistics_;
  FailureLog failures_;
};

}  // namespace lunfs::fs
