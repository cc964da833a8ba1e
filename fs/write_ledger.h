#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <iterator>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/reactor.h"

namespace lunfs::fs {

/// The writes of one open file on one shard: which are in flight, and the failure that no fsync
/// has told yet. That shard's thread only, except for busy().
class alignas(64) WriteLedger {  // a cache line: the next one is another thread's
 public:
  WriteLedger() = default;
  WriteLedger(const WriteLedger&) = delete;
  WriteLedger& operator=(const WriteLedger&) = delete;

  /// A write in flight. Its end resumes, later in the turn, the closes and syncs that waited for
  /// it.
  class Entry {
   public:
    Entry(WriteLedger& ledger, Reactor& reactor)
        : ledger_(ledger), reactor_(reactor), place_(ledger.enter()) {
      ledger_.count(1);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() {
      ledger_.spare_.splice(ledger_.spare_.begin(), ledger_.in_flight_, place_);
      ledger_.count(-1);
      std::erase_if(ledger_.waiting_, [this](const Waiting& wait) {
        if (!ledger_.done_up_to(wait.number)) return false;
        reactor_.defer(wait.handle);
        return true;
      });
    }

   private:
    WriteLedger& ledger_;
    Reactor& reactor_;
    std::list<std::uint64_t>::iterator place_;
  };

  /// co_await this: suspends until the writes that are in flight now have ended; later ones do not
  /// hold it up.
  [[nodiscard]] auto done() {
    struct Done {
      WriteLedger& ledger;
      [[nodiscard]] bool await_ready() const noexcept { return ledger.in_flight_.empty(); }
      void await_suspend(std::coroutine_handle<> self) {
        ledger.waiting_.push_back({ledger.last_, self});
      }
      void await_resume() const noexcept {}
    };
    return Done{*this};
  }

  /// A write has failed; the first failure is kept.
  void keep(const Error& failure) {
    if (failure_) return;
    failure_ = failure;
    count(1);
  }
  /// What no fsync has told yet.
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }
  /// The same, told now.
  [[nodiscard]] std::optional<Error> take_failure() {
    if (failure_) count(-1);
    return std::exchange(failure_, std::nullopt);
  }

  /// False if nothing is in flight and nothing to be told. Any thread: of what has ended before the
  /// call, by the order of the requests at the kernel, it knows.
  [[nodiscard]] bool busy() const noexcept { return open_.load(std::memory_order_acquire) != 0; }

 private:
  struct Waiting {
    std::uint64_t number;  ///< of the last write that is waited for
    std::coroutine_handle<> handle;
  };

  std::list<std::uint64_t>::iterator enter() {
    if (spare_.empty()) spare_.emplace_back();
    spare_.front() = ++last_;
    in_flight_.splice(in_flight_.end(), spare_, spare_.begin());
    return std::prev(in_flight_.end());
  }
  [[nodiscard]] bool done_up_to(std::uint64_t number) const noexcept {
    return in_flight_.empty() || in_flight_.front() > number;
  }
  /// One thread writes, so that no locked instruction is needed.
  void count(int change) noexcept {
    open_.store(open_.load(std::memory_order_relaxed) + change, std::memory_order_release);
  }

  std::list<std::uint64_t> in_flight_;  ///< by number, oldest first
  std::list<std::uint64_t> spare_;      ///< places of ended ones, for those to come
  std::uint64_t last_ = 0;
  std::vector<Waiting> waiting_;
  std::optional<Error> failure_;
  std::atomic<int> open_ = 0;  ///< writes in flight, and one for a failure
};

}  // namespace lunfs::fs
