#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <span>
#include <string>

#include "base/block_device.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/wake_up.h"
#include "iscsi/session_facts.h"
#include "iscsi/write_journal.h"

namespace lunfs::iscsi {

/// What a LUN with a volatile cache has acknowledged and no flush has covered: how much that is, in
/// a WriteJournal what it takes to make it again, and what of it counts as lost.
///
/// When the journal is a quarter full a flush is started; who wants to change the LUN while it is
/// full waits for that flush. If the LUN refuses it the journal is given up: until a flush succeeds
/// a lost session counts as a loss, as it does for a LUN without a journal. docs/decisions/0009.
/// Belongs to the reactor's thread.
class Unflushed {
 public:
  /// `reactor` outlives this. @param lun  its name in log lines @param journal_bytes  0: no journal
  /// @param patience  of who waits for room, and then for the change @param cache  whether the LUN
  /// has a volatile cache
  Unflushed(Reactor& reactor, std::string lun, std::size_t journal_bytes,
            std::chrono::seconds patience, bool cache);
  Unflushed(const Unflushed&) = delete;
  Unflushed& operator=(const Unflushed&) = delete;
  ~Unflushed();

  /// Begins a flush in the background, which ends by flush_ended(). Empty: nobody does.
  void set_start_flush(std::function<void()> start) { start_flush_ = std::move(start); }

  // Before a change is sent.

  /// A change's room in the journal, from before it is sent until after it is noted.
  class Room {
   public:
    Room() = default;
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    ~Room() {
      if (owner_ != nullptr) owner_->give_back(bytes_);
    }

    /// When the change must have ended: whose caller has waited for its room. Else none.
    [[nodiscard]] std::optional<RequestContext::Clock::time_point> due() const noexcept {
      return due_;
    }

   private:
    friend class Unflushed;
    std::optional<RequestContext::Clock::time_point> due_{};
    Unflushed* owner_ = nullptr;  ///< null: it has none, and needs none
    std::uint64_t bytes_ = 0;
  };
  /// Takes room for a change with `bytes` of data. False if it has to wait for it.
  [[nodiscard]] bool take(Room& room, std::uint64_t bytes);
  /// Waits for it, first come first served. Errors: the context's; why a flush that was started
  /// later than this could not be sent; kUnreachable when there was none for so long.
  Task<void> wait(RequestContext& context, Room& room, std::uint64_t bytes);

  // When it is acknowledged.

  void note_write(std::uint64_t offset, std::span<const ConstIoSpan> parts);
  void note_zeroes(std::uint64_t offset, std::uint64_t length, bool may_unmap);
  /// Promises nothing, but what was written before must not come back over what is written later.
  void note_unmap(std::uint64_t offset, std::uint64_t length);

  /// A change that must not be made again.
  void note_not_kept();

  // Flushes. A flush covers what was acknowledged before it was sent.

  struct Mark {
    std::uint64_t acknowledged;
    WriteJournal::Number number;
  };
  [[nodiscard]] Mark mark() const noexcept { return {acknowledged_, journal_.mark()}; }
  void flushed(const Mark& mark);
  /// Of a flush that was started here. @param refused  by the LUN @param unsent  why it was not
  /// sent
  void flush_ended(const std::optional<Error>& refused, const std::optional<Error>& unsent);
  [[nodiscard]] bool flushing() const noexcept { return flushing_; }
  /// Nothing was acknowledged that no flush has covered.
  [[nodiscard]] bool clean() const noexcept { return acknowledged_ == durable_; }

  // Caches and losses.

  /// A new session is up, and what can_write_again() told was written again over it. What is
  /// missing counts as lost. @param cache  as the LUN says now
  void session_replaced(bool cache);
  /// The LUN has a cache from now on, or may have.
  void cache_on();
  /// It has none: what it acknowledged is durable.
  void cache_off();
  /// Whether something is kept, and nothing is missing.
  [[nodiscard]] bool can_write_again() const noexcept { return !journal_.empty() && !missing(); }
  /// A kept change could not be made again, and is left out.
  void note_refused(WriteJournal::Number number);
  /// What is kept must not be written again: its blocks may be somebody else's now. Until a flush
  /// succeeds a lost session counts as a loss.
  void forget(const std::string& why);
  void count_loss() noexcept { ++losses_; }
  /// No flush can succeed any more.
  void lose_for_good(std::string why);
  /// Throws if something was lost for good, or has not been told yet.
  void tell_losses();
  /// How often acknowledged changes counted as lost. Any thread.
  [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }

  [[nodiscard]] const WriteJournal& journal() const noexcept { return journal_; }
  [[nodiscard]] const std::string& lun() const noexcept { return lun_; }
  [[nodiscard]] JournalStats stats() const noexcept;
  void count_replay(std::uint64_t changes, std::uint64_t bytes) noexcept;

 private:
  struct Waiter;

  [[nodiscard]] bool keeps() const noexcept { return cache_ && journal_.limit_bytes() != 0; }
  /// Something older than what is kept is missing in the journal, and no flush has covered it.
  [[nodiscard]] bool missing() const noexcept { return missing_before_.has_value(); }
  [[nodiscard]] bool fits(std::uint64_t bytes) const noexcept;
  void hold(Room& room, std::uint64_t bytes) noexcept;
  void give_back(std::uint64_t bytes) noexcept;
  void admit();
  void start_flush();
  void after_append(bool kept);
  void give_up(const std::string& why);
  void release_memory();

  Reactor& reactor_;
  std::string lun_;
  WriteJournal journal_;
  std::chrono::seconds patience_;
  bool cache_;
  std::function<void()> start_flush_;
  bool flushing_ = false;       ///< by start_flush_
  bool flush_refused_ = false;  ///< the last one that was started here
  std::optional<WriteJournal::Number> missing_before_;
  std::uint64_t reserved_bytes_ = 0;
  std::uint64_t reserved_changes_ = 0;
  std::list<Waiter*> waiting_;  ///< bounded by the requests in flight
  Reactor::Timer flush_soon_;
  Reactor::Timer release_;
  bool release_pending_ = false;

  std::uint64_t acknowledged_ = 0;         ///< writes, ever
  std::uint64_t durable_ = 0;              ///< how many of them the last successful flush covered
  std::atomic<std::uint64_t> losses_ = 0;  ///< any thread may read it
  std::uint64_t losses_told_ = 0;          ///< by a flush that failed
  std::string lost_;  ///< why no flush can succeed any more; empty = nothing is lost
  JournalStats totals_;
};

}  // namespace lunfs::iscsi
