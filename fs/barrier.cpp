#include "fs/barrier.h"

#include <exception>
#include <optional>
#include <utility>

#include "base/hand_over.h"
#include "base/spawn.h"

namespace lunfs::fs {

namespace {

Task<void> end_of_writes(WriteLedger& ledger) { co_await ledger.done(); }

Task<void> keep_failure(Task<void> part, std::exception_ptr& failure) {
  try {
    co_await part;
  } catch (...) {
    failure = std::current_exception();
  }
}

bool is_cancelled(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kCancelled;
  } catch (...) {
    return false;
  }
}

/// Null if there is none. Who is told "interrupted" asks again, but what else there was to tell has
/// been taken by then.
std::exception_ptr worst_of(const std::vector<std::exception_ptr>& failures) {
  std::exception_ptr worst;
  for (const std::exception_ptr& failure : failures) {
    if (failure && (!worst || is_cancelled(worst))) worst = failure;
  }
  return worst;
}

}  // namespace

/// Runs `part` for each of the shards, at once, each on its thread.
Task<void> Barrier::on(std::vector<std::size_t> which, std::size_t here, RequestContext& context,
                       Part part) {
  std::vector<Task<void>> parts;
  parts.reserve(which.size());
  std::vector<std::exception_ptr> failures(which.size());
  for (const std::size_t shard : which) {
    Task<void> there = run_on(shards_[shard].reactor, shards_[here].reactor, context,
                              [&part, shard](RequestContext& its) { return part(its, shard); });
    parts.push_back(keep_failure(std::move(there), failures[parts.size()]));
  }
  co_await when_all(std::move(parts));
  const std::exception_ptr failure = worst_of(failures);
  if (failure) std::rethrow_exception(failure);
}

Task<void> Barrier::written(std::size_t here, OpenFile& file) {
  if (shards_.size() == 1) {
    co_await file.ledgers.front().done();
    co_return;
  }
  std::vector<std::size_t> busy;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (file.ledgers[shard].busy()) busy.push_back(shard);
  }
  RequestContext uninterrupted;
  Part part = [&file](RequestContext&, std::size_t shard) {
    return end_of_writes(file.ledgers[shard]);
  };
  co_await on(std::move(busy), here, uninterrupted, std::move(part));
}

Task<void> Barrier::settle(RequestContext& context, std::size_t shard, OpenFile& file, Sync what) {
  WriteLedger& ledger = file.ledgers[shard];
  co_await ledger.done();
  if (what != Sync::kClose) co_await shards_[shard].durability.flush(context);
  // A close may be that of a duplicate; and where a loss is told, the failure is for the next one.
  const bool told = what == Sync::kFsync && (!file.writable || file.losses_known == losses());
  std::optional<Error> failure = told ? ledger.take_failure() : ledger.failure();
  if (failure) throw *std::move(failure);
}

Task<void> Barrier::settled(RequestContext& context, std::size_t here, OpenFile& file, Sync what) {
  if (shards_.size() == 1) {
    co_await settle(context, 0, file, what);
    co_return;
  }
  std::vector<std::size_t> concerned;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    // In this order: a write that ends in between is one that is unflushed.
    const bool busy = file.ledgers[shard].busy();
    const bool unflushed = what != Sync::kClose && !shards_[shard].durability.clean();
    if (busy || unflushed) concerned.push_back(shard);
  }
  Part part = [this, &file, what](RequestContext& there, std::size_t shard) {
    return settle(there, shard, file, what);
  };
  co_await on(std::move(concerned), here, context, std::move(part));
}

std::uint64_t Barrier::losses() const noexcept {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.durability.losses();
  return sum;
}

Task<void> Barrier::flushed(std::size_t here, RequestContext& context) {
  std::vector<std::size_t> unflushed;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (!shards_[shard].durability.clean()) unflushed.push_back(shard);
  }
  Part part = [this](RequestContext& there, std::size_t shard) {
    return shards_[shard].durability.flush(there);
  };
  co_await on(std::move(unflushed), here, context, std::move(part));
}

}  // namespace lunfs::fs
