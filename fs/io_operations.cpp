#include "fs/io_operations.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/frame_pool.h"
#include "base/log.h"
#include "base/spawn.h"
#include "fs/errno_map.h"
#include "fs/seek.h"
#include "fs/truncation.h"

namespace lunfs::fs {

namespace {

constexpr std::size_t kBytesInFlight = 64U << 20;
constexpr std::size_t kLargestRequest = 1U << 20;
constexpr std::uint64_t kLargestCopy = 64U << 20;

}  // namespace

/// One request from its first byte to its answer.
struct IoOperations::Request {
  Request(Operation what, Reply to) : operation(what), reply(std::move(to)) {
    context.cancellation = &cancellation;
    fuse_req_interrupt_func(
        reply.request(),
        [](fuse_req_t, void* self) { static_cast<Request*>(self)->cancellation.request(); }, this);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Pooled like the coroutines around it.
  static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
  static void operator delete(void* request, std::size_t size) noexcept {
    frame_pool::release(request, size);
  }

  Operation operation;
  Cancellation cancellation;
  RequestContext context;
  SlabPool::Slab slab;  ///< of a write: what its payload lies in
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  Reply reply;
};

/// A change of a range: told to the file's Truncation, if there is one, and kept apart from the
/// zeroing at the close of a handle with O_TRUNC. Made right after before_write().
struct IoOperations::Change {
  Change(OpenFile& file, Reactor& reactor, std::uint64_t offset, std::uint64_t length)
      : truncation(file.node->truncation.find()) {
    // Of no length: the place may lie behind the file's end, and nothing was passed on the way.
    if (length == 0) return;
    file.reached(offset + length);
    if (!truncation) return;
    truncation->note(offset, length);
    entry.emplace(truncation->line(), reactor, RangeLock::Mode::kShared, offset, length);
  }
  Task<void> wait(RequestContext& context) {
    if (entry && !entry->granted()) co_await entry->wait(context);
  }

  std::shared_ptr<Truncation> truncation;
  std::optional<RangeLock::Entry> entry{};
};

IoOperations::IoOperations(Reactor& reactor, OpenFiles& files, SlabPool& slabs, Medium medium)
    : reactor_(reactor),
      files_(files),
      slabs_(slabs),
      medium_(medium),
      budget_(reactor, kBytesInFlight / medium.barrier.shards()),
      request_ended_(reactor) {}

std::unique_ptr<IoOperations::Request> IoOperations::begin(Operation operation, Reply reply) {
  statistics_.started();
  return std::make_unique<Request>(operation, std::move(reply));
}

void IoOperations::run(std::unique_ptr<Request> request, Task<void> task) {
  spawn(std::move(task), [this, request = std::move(request)](const std::exception_ptr& failure) {
    if (failure) fail(*request, failure);
    const auto took = std::chrono::steady_clock::now() - request->begun;
    statistics_.ended(request->operation, request->bytes, failure != nullptr, took);
    if (statistics_.in_flight() == 0) request_ended_.wake();
    if (log::enabled(log::Level::kDebug)) {
      log::debug("{}: {} bytes, {} us{}", name_of(request->operation), request->bytes,
                 std::chrono::duration_cast<std::chrono::microseconds>(took).count(),
                 failure ? ", failed" : "");
    }
  });
}

void IoOperations::fail(Request& request, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) {
      log::error("{} failed ({}): {}", name_of(request.operation), to_string(error.kind()),
                 error.message());
    }
    if (!request.reply.answered()) request.reply.error(errno_of_io(error.kind()));
  } catch (const std::bad_alloc&) {
    log::error("{} failed: out of memory", name_of(request.operation));
    if (!request.reply.answered()) request.reply.error(ENOMEM);
  } catch (const std::exception& error) {
    log::error("{} failed: {} (a bug in lunfs)", name_of(request.operation), error.what());
  }
}

void IoOperations::read(Reply reply, std::uint64_t handle, std::uint64_t offset, std::size_t size) {
  auto request = begin(Operation::kRead, std::move(reply));
  Task<void> task = do_read(*request, handle, offset, size);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_read(Request& request, std::uint64_t handle, std::uint64_t offset,
                                 std::size_t size) {
  OpenFile& file = files_.at(handle);
  if (!file.node->has_bytes()) {
    const std::shared_ptr<const std::string> held = file.text;
    const std::string_view text = *held;
    request.reply.text(text.substr(std::min<std::size_t>(offset, text.size()), size));
    co_return;
  }
  BlockDevice& device = device_of(file);
  const std::uint64_t end = device.geometry().size_bytes;
  const std::uint64_t length =
      std::min<std::uint64_t>({size, offset < end ? end - offset : 0, kLargestRequest});
  if (length == 0) {
    request.reply.data({});
    co_return;
  }
  const ByteBudget::Share share = co_await budget_.take(request.context, length);
  SlabPool::Slab slab = slabs_.take();
  const std::span<std::byte> out = slab.first(length);
  co_await device.read(request.context, offset, out);
  request.bytes = length;
  request.reply.data(out);
}

void IoOperations::write(Reply reply, std::uint64_t handle, std::uint64_t offset,
                         std::span<const std::byte> payload, SlabPool::Slab slab) {
  auto request = begin(Operation::kWrite, std::move(reply));
  request->slab = std::move(slab);
  Task<void> task = do_write(*request, handle, offset, payload);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::before_write(RequestContext& context, const OpenFile& file) {
  if (!file.node->read_only_reason.empty()) {
    throw Error(ErrorKind::kReadOnly, file.node->read_only_reason);
  }
  if (medium_.first_write != nullptr && !medium_.first_write->safe()) {
    co_await medium_.first_write->ensure(context, reactor_);
  }
  if (const std::shared_ptr<Truncation> truncation = file.node->truncation.find()) {
    co_await truncation->make_room(context, writer_of(file));
  }
}

Task<void> IoOperations::do_write(Request& request, std::uint64_t handle, std::uint64_t offset,
                                  std::span<const std::byte> payload) {
  OpenFile& file = files_.at(handle);
  if (!file.node->has_bytes()) throw Error(ErrorKind::kReadOnly, "a control file");
  BlockDevice& device = device_of(file);
  const std::uint64_t end = device.geometry().size_bytes;
  if (offset >= end && !payload.empty()) {
    request.reply.error(ENOSPC);
    co_return;
  }
  payload = payload.first(std::min<std::uint64_t>(payload.size(), end - std::min(offset, end)));
  {
    const WriteLedger::Entry counted(ledger_of(file), reactor_);
    // First, as it may take seconds during which others want their share of the budget.
    co_await before_write(request.context, file);
    Change change(file, reactor_, offset, payload.size());
    co_await change.wait(request.context);
    const ByteBudget::Share share = co_await budget_.take(request.context, payload.size());
    try {
      co_await device.write(request.context, offset, payload);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) ledger_of(file).keep(error);
      throw;
    }
    medium_.durability.wrote(file.node->name(), payload.size());
  }
  request.bytes = payload.size();
  request.reply.written(payload.size());
}

void IoOperations::flush(Reply reply, std::uint64_t handle) {
  const bool durable = medium_.sync_on_close && files_.at(handle).writable;
  auto request = begin(Operation::kFlush, std::move(reply));
  Task<void> task = do_flush(*request, handle, durable ? Sync::kDurableClose : Sync::kClose);
  run(std::move(request), std::move(task));
}

void IoOperations::fsync(Reply reply, std::uint64_t handle) {
  auto request = begin(Operation::kFlush, std::move(reply));
  Task<void> task = do_flush(*request, handle, Sync::kFsync);
  run(std::move(request), std::move(task));
}

void IoOperations::sync(Reply reply) {
  auto request = begin(Operation::kFlush, std::move(reply));
  Task<void> task = do_sync(*request);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_sync(Request& request) {
  co_await medium_.barrier.flushed(medium_.shard, request.context);
  request.reply.ok();
}

Task<void> IoOperations::make_durable(RequestContext& context, OpenFile& file, Sync what) {
  Barrier& barrier = medium_.barrier;
  if (file.truncation) {
    co_await barrier.written(medium_.shard, file);
    const std::uint64_t end = file.written_end();
    if (end > 0) {
      co_await before_write(context, file);
      co_await file.truncation->zero_gaps(context, writer_of(file), end);
    }
  }
  co_await barrier.settled(context, medium_.shard, file, what);
}

Task<void> IoOperations::do_flush(Request& request, std::uint64_t handle, Sync what) {
  OpenFile& file = files_.at(handle);
  RequestContext uninterrupted;
  std::exception_ptr failure;
  bool interrupted = false;
  try {
    co_await make_durable(medium_.waits_for_ever ? request.context : uninterrupted, file, what);
  } catch (const Error& error) {
    failure = std::current_exception();
    interrupted = error.kind() == ErrorKind::kCancelled;
    if (interrupted && what != Sync::kFsync) {
      // Programs take EINTR of close(2) for success.
      failure = std::make_exception_ptr(
          Error(ErrorKind::kIo, "interrupted before everything written was durable"));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const std::uint64_t losses = medium_.barrier.losses();
  const bool loss_untold = file.writable && file.losses_known != losses;
  if (what == Sync::kFsync && !interrupted) file.losses_known = losses;
  if (failure) std::rethrow_exception(failure);
  if (loss_untold) {
    throw Error(ErrorKind::kIo,
                "writes acknowledged before the session was lost were not flushed and may be lost");
  }
  request.reply.ok();
}

void IoOperations::fallocate(Reply reply, std::uint64_t handle, int mode, std::uint64_t offset,
                             std::uint64_t length) {
  const OpenFile& file = files_.at(handle);
  if (!file.node->has_bytes()) return reply.error(EOPNOTSUPP);
  const std::uint64_t end = device_of(file).geometry().size_bytes;
  const bool keep_size = (mode & FALLOC_FL_KEEP_SIZE) != 0;
  const bool fits = range_fits(offset, length, end);
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:  // every extent of a mapped LV is there already
      return reply.error(fits ? 0 : EOPNOTSUPP);
    case FALLOC_FL_PUNCH_HOLE:
      if (!keep_size) return reply.error(EOPNOTSUPP);
      break;
    case FALLOC_FL_ZERO_RANGE:
      if (!fits && !keep_size) return reply.error(EOPNOTSUPP);
      break;
    default:
      return reply.error(EOPNOTSUPP);
  }
  length = offset < end ? std::min(length, end - offset) : 0;
  auto request = begin(Operation::kZero, std::move(reply));
  Task<void> task = do_zero(*request, handle, offset, length, (mode & FALLOC_FL_PUNCH_HOLE) != 0);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_zero(Request& request, std::uint64_t handle, std::uint64_t offset,
                                 std::uint64_t length, bool may_unmap) {
  OpenFile& file = files_.at(handle);
  {
    const WriteLedger::Entry counted(ledger_of(file), reactor_);
    co_await before_write(request.context, file);
    Change change(file, reactor_, offset, length);
    co_await change.wait(request.context);
    if (length > 0) {
      co_await device_of(file).write_zeroes(request.context, offset, length, may_unmap);
      medium_.durability.wrote(file.node->name(), length);
    }
  }
  request.bytes = length;
  request.reply.ok();
}

void IoOperations::seek(Reply reply, std::uint64_t handle, std::uint64_t offset, int whence) {
  const OpenFile& file = files_.at(handle);
  if (whence != SEEK_HOLE && whence != SEEK_DATA) return reply.error(EINVAL);
  const std::uint64_t end =
      file.node->has_bytes() ? device_of(file).geometry().size_bytes : file.text->size();
  if (offset >= end) return reply.error(ENXIO);
  if (!file.node->has_bytes()) return reply.offset(whence == SEEK_DATA ? offset : end);
  auto request = begin(Operation::kSeek, std::move(reply));
  Task<void> task = do_seek(*request, handle, offset, whence == SEEK_HOLE);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_seek(Request& request, std::uint64_t handle, std::uint64_t offset,
                                 bool hole) {
  BlockDevice& device = device_of(files_.at(handle));
  const std::optional<std::uint64_t> found =
      co_await find_run(request.context, device, offset, hole);
  if (found) {
    request.reply.offset(*found);
  } else if (hole) {
    request.reply.offset(device.geometry().size_bytes);  // the end of a file counts as a hole
  } else {
    request.reply.error(ENXIO);
  }
}

void IoOperations::copy(Reply reply, CopyRange range) {
  auto request = begin(Operation::kCopy, std::move(reply));
  Task<void> task = do_copy(*request, range);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_copy(Request& request, CopyRange range) {
  OpenFile& source = files_.at(range.from_handle);
  OpenFile& sink = files_.at(range.to_handle);
  if (!source.node->has_bytes() || !sink.node->has_bytes()) {
    throw Error(ErrorKind::kUnsupported, "only disks are copied inside the daemon");
  }
  const std::uint64_t source_end = device_of(source).geometry().size_bytes;
  const std::uint64_t sink_end = device_of(sink).geometry().size_bytes;
  std::uint64_t length = std::min(range.length, kLargestCopy);
  length = range.from < source_end ? std::min(length, source_end - range.from) : 0;
  if (length > 0 && range.to >= sink_end) {
    request.reply.error(ENOSPC);
    co_return;
  }
  length = std::min(length, sink_end - std::min(range.to, sink_end));
  {
    const WriteLedger::Entry counted(ledger_of(sink), reactor_);
    co_await before_write(request.context, sink);
    Change change(sink, reactor_, range.to, length);
    co_await change.wait(request.context);
    const ByteBudget::Share share = co_await budget_.take(request.context, kLargestRequest);
    range.length = length;
    co_await copy_pieces(request, source, sink, range);
  }
  request.reply.written(request.bytes);
}

/// Counts what was copied in request.bytes; less than all of it after an error, none throws it.
Task<void> IoOperations::copy_pieces(Request& request, const OpenFile& source, const OpenFile& sink,
                                     CopyRange range) {
  BlockDevice& from = device_of(source);
  BlockDevice& to = device_of(sink);
  SlabPool::Slab slab = slabs_.take();
  std::uint64_t& done = request.bytes;
  try {
    while (done < range.length) {
      const auto piece = slab.first(std::min<std::uint64_t>(range.length - done, kLargestRequest));
      co_await from.read(request.context, range.from + done, piece);
      co_await to.write(request.context, range.to + done, piece);
      medium_.durability.wrote(sink.node->name(), piece.size());
      done += piece.size();
    }
  } catch (const Error& error) {
    // A short copy, so that the kernel drops its pages of what has changed.
    if (done == 0) throw;
    log::warn("copy ended after {} of {} bytes: {}", done, range.length, error.message());
  }
}

Task<void> IoOperations::drained(RequestContext& context) {
  while (statistics_.in_flight() > 0) {
    context.check();
    co_await request_ended_.until(context);
  }
}

}  // namespace lunfs::fs
