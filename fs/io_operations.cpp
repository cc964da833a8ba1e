#include "fs/io_operations.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/spawn.h"
#include "fs/errno_map.h"
#include "fs/io_request.h"

namespace lunfs::fs {

namespace {

constexpr std::size_t kBytesInFlight = 64U << 20;

}  // namespace

IoOperations::IoOperations(Reactor& reactor, OpenFiles& files, SlabPool& slabs, Medium medium)
    : reactor_(reactor),
      files_(files),
      slabs_(slabs),
      medium_(medium),
      budget_(reactor, kBytesInFlight / medium.barrier.shards()),
      request_ended_(reactor),
      failures_(medium.space) {}

std::unique_ptr<IoOperations::Request> IoOperations::begin(Operation operation, Reply reply) {
  statistics_.started();
  if (medium_.look != nullptr) medium_.look->used();
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
    failures_.note(request.operation, error);
    if (!request.reply.answered()) request.reply.error(errno_of_io(error.kind()));
  } catch (const std::bad_alloc&) {
    log::error("{} failed: out of memory", name_of(request.operation));
    if (!request.reply.answered()) request.reply.error(ENOMEM);
  } catch (const std::exception& error) {
    log::error("{} failed: {} (a bug in lunfs)", name_of(request.operation), error.what());
  }
}

void IoOperations::open(Reply reply, bool writing, OpenAnswer answer) {
  if (medium_.look == nullptr) return answer(std::move(reply));
  auto request = begin(Operation::kOpen, std::move(reply));
  Task<void> task = do_open(*request, writing, std::move(answer));
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_open(Request& request, bool writing, OpenAnswer answer) {
  co_await medium_.look->before_open(request.context, writing);
  answer(std::move(request.reply));
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
  const Device device = device_of(request.context, file);
  const std::uint64_t end = device->geometry().size_bytes;
  const std::uint64_t length =
      std::min<std::uint64_t>({size, offset < end ? end - offset : 0, kLargestRequest});
  if (length == 0) {
    request.reply.text({});
    co_return;
  }
  std::optional<ByteBudget::Share> share = budget_.take_at_once(request.context, length);
  if (!share) share.emplace(co_await budget_.take(request.context, length));
  SlabPool::Slab slab = slabs_.take();
  const std::span<std::byte> out = slab.first(length);
  co_await device->read(request.context, offset, out);
  request.context.check_revocation();  // the bytes may be another LV's by now
  request.bytes = length;
  request.reply.data(std::move(slab), length);
}

void IoOperations::write(Reply reply, std::uint64_t handle, std::uint64_t offset,
                         std::span<const std::byte> payload, SlabPool::Slab slab) {
  auto request = begin(Operation::kWrite, std::move(reply));
  request->slab = std::move(slab);
  Task<void> task = do_write(*request, handle, offset, payload);
  run(std::move(request), std::move(task));
}

bool IoOperations::may_write_at_once(const OpenFile& file) const {
  const bool looked = medium_.first_write == nullptr || medium_.first_write->safe();
  return looked && file.node->read_only_reason.empty() && !file.node->truncation.find();
}

Task<void> IoOperations::before_write(RequestContext& context, const OpenFile& file) {
  if (!file.node->read_only_reason.empty()) {
    throw Error(ErrorKind::kReadOnly, file.node->read_only_reason);
  }
  if (medium_.first_write != nullptr && !medium_.first_write->safe()) {
    co_await medium_.first_write->ensure(context, reactor_);
  }
  if (const std::shared_ptr<Truncation> truncation = file.node->truncation.find()) {
    const Device device = device_of(context, file);
    co_await truncation->make_room(context, writer_on(*device));
  }
}

Task<void> IoOperations::do_write(Request& request, std::uint64_t handle, std::uint64_t offset,
                                  std::span<const std::byte> payload) {
  OpenFile& file = files_.at(handle);
  if (!file.node->has_bytes()) throw Error(ErrorKind::kReadOnly, "a control file");
  const Device device = device_of(request.context, file);
  const std::uint64_t end = device->geometry().size_bytes;
  if (offset >= end && !payload.empty()) {
    request.reply.error(ENOSPC);
    co_return;
  }
  payload = payload.first(std::min<std::uint64_t>(payload.size(), end - std::min(offset, end)));
  {
    const WriteLedger::Entry counted(ledger_of(file), reactor_);
    // First, as it may take seconds during which others want their share of the budget.
    if (!may_write_at_once(file)) co_await before_write(request.context, file);
    Change change(file, reactor_, offset, payload.size());
    if (!change.granted()) co_await change.wait(request.context);
    std::optional<ByteBudget::Share> share = budget_.take_at_once(request.context, payload.size());
    if (!share) share.emplace(co_await budget_.take(request.context, payload.size()));
    try {
      co_await device->write(request.context, offset, payload);
      request.context.check_revocation();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) ledger_of(file).keep(error);
      throw;
    }
    medium_.durability.wrote(file.node->name(), payload.size());
    medium_.space.accepted();
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
      RequestContext on_file = context;
      const Device device = device_of(on_file, file);
      co_await before_write(on_file, file);
      co_await file.truncation->zero_gaps(on_file, writer_on(*device), end);
    }
  }
  if (file.writable) file.node->revocation.check();
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

Task<void> IoOperations::drained(RequestContext& context) {
  while (statistics_.in_flight() > 0) {
    context.check();
    co_await request_ended_.until(context);
  }
}

}  // namespace lunfs::fs
