#include "iscsi/transfer_joiner.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/spawn.h"

namespace lunfs::iscsi {

namespace {

/// Resumes when all that the turn's handlers start has been started.
struct AfterHandlers {
  Reactor& reactor;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) { reactor.defer(self); }
  void await_resume() const noexcept {}
};

}  // namespace

/// One transfer; lives in the frame of join().
struct TransferJoiner::Entry {
  Transfer transfer;
  std::size_t order;  ///< in the turn
  bool settled = false;
  Joined outcome = Joined::kAlone;
  std::exception_ptr failure{};
  std::coroutine_handle<> waiting{};
};

struct TransferJoiner::Settled {
  Entry& entry;
  [[nodiscard]] bool await_ready() const noexcept { return entry.settled; }
  void await_suspend(std::coroutine_handle<> self) noexcept { entry.waiting = self; }
  void await_resume() const noexcept {}
};

TransferJoiner::TransferJoiner(Reactor& reactor, std::uint64_t max_transfer_bytes, Send send)
    : reactor_(reactor),
      max_joined_bytes_(std::min(kMaxJoinedBytes, max_transfer_bytes)),
      send_(std::move(send)) {}

Task<Joined> TransferJoiner::join(Transfer transfer) {
  Entry entry{transfer, pending_.size()};
  pending_.push_back(&entry);
  if (pending_.size() == 1) {  // the first of the turn sees to all
    co_await AfterHandlers{reactor_};
    dispatch();
  }
  co_await Settled{entry};
  if (entry.failure) std::rethrow_exception(entry.failure);
  co_return entry.outcome;
}

bool TransferJoiner::fits_behind(std::span<Entry* const> run, const Entry& next) const {
  const Transfer& first = run.front()->transfer;
  const Transfer& last = run.back()->transfer;
  return next.transfer.is_write() == last.is_write() && next.transfer.offset == last.end() &&
         next.transfer.revocation == last.revocation &&
         next.transfer.end() - first.offset <= max_joined_bytes_ && run.size() < kMaxParts;
}

void TransferJoiner::dispatch() {
  std::vector<Entry*> all = std::exchange(pending_, std::move(spare_));
  // Of two transfers of the same place the order stays; which one counts is nobody's to say.
  std::sort(all.begin(), all.end(), [](const Entry* a, const Entry* b) {
    return std::tuple(a->transfer.is_write(), a->transfer.offset, a->order) <
           std::tuple(b->transfer.is_write(), b->transfer.offset, b->order);
  });
  for (std::span<Entry*> rest(all); !rest.empty();) {
    std::size_t count = 1;
    while (count < rest.size() && fits_behind(rest.first(count), *rest[count])) ++count;
    const std::span<Entry*> run = rest.first(count);
    rest = rest.subspan(count);
    if (count == 1) {
      settle(*run.front(), Joined::kAlone);
    } else {
      spawn(move_together({run.begin(), run.end()}),
            [](const std::exception_ptr& /*told to each*/) {});
    }
  }
  all.clear();
  spare_ = std::move(all);
}

void TransferJoiner::settle(Entry& entry, Joined outcome) {
  entry.settled = true;
  entry.outcome = outcome;
  if (entry.waiting) reactor_.defer(entry.waiting);
}

Task<void> TransferJoiner::move_together(std::vector<Entry*> members) {
  Joined outcome = Joined::kAlone;
  std::exception_ptr failure;
  try {
    const Transfer& first = members.front()->transfer;
    JoinedTransfer run{.offset = first.offset,
                       .in = {},
                       .out = {},
                       .revocation = first.revocation,
                       .cancellations = {}};
    run.cancellations.reserve(members.size());
    for (const Entry* member : members) {
      run.length += member->transfer.length();
      run.cancellations.push_back(member->transfer.cancellation);
      if (const auto due = member->transfer.due) run.due = std::min(run.due.value_or(*due), *due);
      if (member->transfer.is_write()) {
        run.out.push_back(member->transfer.out);
      } else {
        run.in.push_back(member->transfer.in);
      }
    }
    outcome = co_await send_(run);
  } catch (...) {
    failure = std::current_exception();
  }
  for (Entry* member : members) {
    member->failure = failure;
    settle(*member, outcome);
  }
}

}  // namespace lunfs::iscsi
