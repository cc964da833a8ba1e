#include "iscsi/unflushed.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/checked.h"
#include "base/log.h"

namespace lunfs::iscsi {

namespace {

/// How long the journal keeps memory that it does not need, and how much of it for good: about
/// what a load takes, as a flush begins when the usual journal of 64 MiB is a quarter full.
constexpr std::chrono::seconds kReleaseAfter{10};
constexpr std::size_t kKeptBytes = std::size_t{16} << 20U;

}  // namespace

/// Lives in the frame of wait().
struct Unflushed::Waiter {
  Waiter(Reactor& reactor, Room& its_room, std::uint64_t its_bytes)
      : admitted(reactor), room(its_room), bytes(its_bytes) {}

  WakeUp admitted;
  Room& room;
  std::uint64_t bytes;
  bool in = false;
  bool asked = false;  ///< a flush was started since it waits
  std::optional<Error> failure{};
};

Unflushed::Unflushed(Reactor& reactor, std::string lun, std::size_t journal_bytes,
                     std::chrono::seconds patience, bool cache)
    : reactor_(reactor),
      lun_(std::move(lun)),
      journal_(journal_bytes),
      patience_(patience),
      cache_(cache) {}

Unflushed::~Unflushed() = default;

bool Unflushed::fits(std::uint64_t bytes) const noexcept {
  return range_fits(reserved_bytes_, bytes, journal_.limit_bytes()) &&
         journal_.fits(reserved_bytes_ + bytes, reserved_changes_ + 1);
}

void Unflushed::hold(Room& room, std::uint64_t bytes) noexcept {
  room.owner_ = this;
  room.bytes_ = bytes;
  reserved_bytes_ += bytes;
  ++reserved_changes_;
}

void Unflushed::give_back(std::uint64_t bytes) noexcept {
  reserved_bytes_ -= bytes;
  --reserved_changes_;
  if (!waiting_.empty()) admit();
}

bool Unflushed::take(Room& room, std::uint64_t bytes) {
  if (!keeps()) return true;
  if (waiting_.empty() && fits(bytes)) {
    hold(room, bytes);
    return true;
  }
  // Where something is missing a flush was refused, and one that never fits waits for nothing.
  return missing() || bytes > journal_.limit_bytes();
}

Task<void> Unflushed::wait(RequestContext& context, Room& room, std::uint64_t bytes) {
  context.check();
  Waiter waiter(reactor_, room, bytes);
  waiting_.push_back(&waiter);
  start_flush();
  room.due_ = RequestContext::Clock::now() + patience_;
  co_await waiter.admitted.until(context, *room.due_);
  if (waiter.in) co_return;
  waiting_.remove(&waiter);
  admit();  // those behind it
  if (waiter.failure) throw *waiter.failure;
  context.check();
  throw Error(ErrorKind::kUnreachable,
              fmt::format("no room in the journal of unflushed writes for {} s", patience_.count()))
      .because("the target takes long to make durable what it has acknowledged")
      .advise("look at the array's health; a larger `timeout` waits longer");
}

/// Lets in who waits, as far as there is room; all, if there is no use in waiting.
void Unflushed::admit() {
  while (!waiting_.empty() && (fits(waiting_.front()->bytes) || missing() || !keeps())) {
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    if (keeps() && fits(next.bytes)) hold(next.room, next.bytes);
    next.in = true;
    next.admitted.wake();
  }
  if (!waiting_.empty() && !journal_.empty()) start_flush();
}

void Unflushed::start_flush() {
  if (flushing_ || !start_flush_) return;
  flushing_ = true;
  for (Waiter* waiter : waiting_) waiter->asked = true;
  start_flush_();
}

void Unflushed::flush_ended(const std::optional<Error>& refused,
                            const std::optional<Error>& unsent) {
  flushing_ = false;
  flush_refused_ = refused.has_value();
  if (unsent) {
    // What is kept stays: who has waited as long as that flush could not be served either.
    waiting_.remove_if([&](Waiter* waiter) {
      if (!waiter->asked) return false;
      waiter->failure = unsent;
      waiter->admitted.wake();
      return true;
    });
    if (!waiting_.empty()) start_flush();
    return;
  }
  if (refused && !waiting_.empty()) {
    give_up("it is full and cannot be flushed: " + refused->message());
  }
  admit();
}

void Unflushed::give_up(const std::string& why) {
  log::warn(
      "lun={}: the journal of {} bytes is given up: {}; until a flush succeeds a lost session may "
      "cost acknowledged writes",
      lun_, journal_.bytes(), why);
  journal_.drop_all();
  missing_before_ = journal_.mark();
}

void Unflushed::forget(const std::string& why) {
  if (journal_.empty()) return;
  give_up(why);
  admit();
}

void Unflushed::after_append(bool kept) {
  if (!kept) {
    missing_before_ = journal_.mark();
    return;
  }
  const bool due = journal_.quarter_full() && !flush_refused_;
  if (due || !waiting_.empty()) start_flush();
}

void Unflushed::note_write(std::uint64_t offset, std::span<const ConstIoSpan> parts) {
  ++acknowledged_;
  if (keeps()) after_append(journal_.append_data(offset, parts));
}

void Unflushed::note_zeroes(std::uint64_t offset, std::uint64_t length, bool may_unmap) {
  using Kind = WriteJournal::Kind;
  ++acknowledged_;
  if (!keeps()) return;
  after_append(journal_.append(
      {.offset = offset, .length = length, .kind = may_unmap ? Kind::kHole : Kind::kZeroes}));
}

void Unflushed::note_unmap(std::uint64_t offset, std::uint64_t length) {
  if (!keeps() || journal_.empty()) return;
  after_append(
      journal_.append({.offset = offset, .length = length, .kind = WriteJournal::Kind::kUnmap}));
}

void Unflushed::note_not_kept() {
  ++acknowledged_;
  if (keeps()) after_append(false);
}

void Unflushed::flushed(const Mark& mark) {
  durable_ = std::max(durable_, mark.acknowledged);
  journal_.discard_until(mark.number);
  if (missing_before_ && *missing_before_ <= mark.number) {
    log::info("lun={}: flushed; the journal is complete again", lun_);
    missing_before_.reset();
  }
  flush_refused_ = false;
  if (!waiting_.empty()) admit();
  if (journal_.empty() && journal_.touched_bytes() > kKeptBytes && !release_pending_) {
    release_pending_ = true;
    release_ = reactor_.at(Reactor::Clock::now() + kReleaseAfter, [this] { release_memory(); });
  }
}

void Unflushed::release_memory() {
  release_pending_ = false;
  // In use, it comes back by itself when it is flushed.
  journal_.give_memory_back(kKeptBytes);
}

void Unflushed::cache_on() {
  if (std::exchange(cache_, true) || clean() || journal_.limit_bytes() == 0) return;
  // Acknowledged before the cache was known of: it may have been there already.
  journal_.drop_all();
  missing_before_ = journal_.mark();
}

void Unflushed::cache_off() {
  cache_ = false;
  flushed(mark());
  missing_before_.reset();
  admit();
}

void Unflushed::session_replaced(bool cache) {
  const bool lost = journal_.limit_bytes() == 0 ? !clean() : missing();
  if (cache_ && lost) {
    ++losses_;
    log::error(
        "lun={}: {} acknowledged writes were not flushed before the session was lost; if the "
        "target was restarted they may be lost: the next fsync fails",
        lun_, acknowledged_ - durable_);
    missing_before_.reset();
    if (journal_.empty()) durable_ = acknowledged_;  // as far as they can be: told by losses_
  }
  if (!cache_) durable_ = acknowledged_;
  if (cache) {
    cache_ = true;
  } else {
    cache_off();
  }
  // When the session is up, which it is in the next turn. Nobody waits for it: a LUN whose cache
  // cannot be flushed serves as ever.
  if (!journal_.empty()) {
    flush_soon_ = reactor_.at(Reactor::Clock::now(), [this] { start_flush(); });
  }
}

void Unflushed::note_refused(WriteJournal::Number number) { journal_.drop(number); }

void Unflushed::lose_for_good(std::string why) {
  if (lost_.empty()) lost_ = std::move(why);
}

void Unflushed::tell_losses() {
  if (!lost_.empty()) {
    throw Error(ErrorKind::kIo, lost_)
        .because("the storage lost its cache or could not write it")
        .advise("mount again and check what was written last");
  }
  if (std::exchange(losses_told_, losses_) == losses_) return;
  throw Error(ErrorKind::kIo,
              "writes that were acknowledged before the session was lost were never flushed and "
              "may be lost")
      .because(
          "a target that was restarted has lost its cache; that cannot be told from a "
          "network that was down for a while")
      .advise("write again what was written since the last fsync that succeeded");
}

JournalStats Unflushed::stats() const noexcept {
  JournalStats stats = totals_;
  stats.limit_bytes = keeps() ? journal_.limit_bytes() : 0;
  stats.bytes = journal_.bytes();
  stats.changes = journal_.mark() - journal_.first();
  stats.complete = !missing();
  return stats;
}

void Unflushed::count_replay(std::uint64_t changes, std::uint64_t bytes) noexcept {
  ++totals_.replays;
  totals_.changes_replayed += changes;
  totals_.bytes_replayed += bytes;
}

}  // namespace lunfs::iscsi
