#include "fs/barrier.h"

#include <optional>
#include <utility>

#include "base/hand_over.h"
#include "base/spawn.h"

namespace lunfs::fs {

namespace {

Task<void> end_of_writes(WriteLedger& ledger) { co_await ledger.done(); }

}  // namespace

/// Runs `part` for each of the shards, at once, each on its thread.
Task<void> Barrier::on(std::vector<std::size_t> which, std::size_t here, RequestContext& context,
                       Part part) {
  std::vector<Task<void>> parts;
  parts.reserve(which.size());
  for (const std::size_t shard : which) {
    parts.push_back(run_on(shards_[shard].reactor, shards_[here].reactor, context,
                           [&part, shard](RequestContext& there) { return part(there, shard); }));
  }
  co_await when_all(std::move(parts));
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

Task<void> Barrier::settle(RequestContext& context, std::size_t shard, OpenFile& file,
                           bool durable) {
  WriteLedger& ledger = file.ledgers[shard];
  co_await ledger.done();
  if (durable) co_await shards_[shard].durability.flush(context);
  if (std::optional<Error> failure = ledger.take_failure()) throw *std::move(failure);
}

Task<void> Barrier::settled(std::size_t here, OpenFile& file, bool durable) {
  // Without a request's cancellation: programs take EINTR of close(2) for success.
  RequestContext uninterrupted;
  if (shards_.size() == 1) {
    co_await settle(uninterrupted, 0, file, durable);
    co_return;
  }
  std::vector<std::size_t> concerned;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const bool unflushed = durable && !shards_[shard].durability.clean();
    if (unflushed || file.ledgers[shard].busy()) concerned.push_back(shard);
  }
  Part part = [this, &file, durable](RequestContext& there, std::size_t shard) {
    return settle(there, shard, file, durable);
  };
  co_await on(std::move(concerned), here, uninterrupted, std::move(part));
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
