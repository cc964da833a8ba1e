#include "iscsi/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/command_runner.h"

namespace lunfs::iscsi {

namespace {

using Kind = WriteJournal::Kind;
using Change = WriteJournal::Change;

/// Changes that are sent together; they do not overlap.
constexpr std::uint64_t kAtOnce = 32;
/// A LUN that is reset more often while it is written to is left as it is.
constexpr unsigned kMostResets = 5;
constexpr unsigned kMostLines = 20;

bool overlap(const Change& a, const Change& b) noexcept {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/// What another session, or a while, may change.
bool passes(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kUnreachable:
    case ErrorKind::kOutcomeUnknown:
    case ErrorKind::kTimedOut:
    case ErrorKind::kCancelled:
    case ErrorKind::kBusy:
    case ErrorKind::kNotFound:
      return true;
    default:
      return false;
  }
}

}  // namespace

Task<void> Replay::run(std::shared_ptr<Replay> self, RequestContext& context, CommandPort& port,
                       LunFeatures features) {
  co_await self->make_all(context, port, std::move(features));
}

Task<void> Replay::make_all(RequestContext& context, CommandPort& port, LunFeatures features) {
  const WriteJournal& journal = unflushed_->journal();
  if (journal.empty()) co_return;
  CommandRunner runner(port, manners_.retries, manners_.number);
  Lun lun(runner, std::move(features));
  refused_ = 0;
  unsigned resets = 0;
  for (Number next = journal.first(); next < journal.mark();) {
    const Number end = end_of_batch(next);
    co_await make_together(context, lun, next, end);
    passed(end);
    next = end;
    if (resets > kMostResets || !runner.take_reset()) continue;
    // What was made so far may be lost again.
    if (++resets <= kMostResets) {
      next = journal.first();
    } else {
      unflushed_->count_loss();
      log::error("lun={}: it is reset time after time; unflushed writes may be lost",
                 unflushed_->lun());
    }
  }
  if (refused_ > kMostLines) {
    log::error("lun={}: {} changes more cannot be written again", unflushed_->lun(),
               refused_ - kMostLines);
  }
  const Sum made = sum();
  unflushed_->count_replay(made.changes, made.bytes);
  log::warn(
      "lun={}: wrote {} change{} ({:.1f} MiB) again that were not flushed when the session was "
      "lost",
      unflushed_->lun(), made.changes, made.changes == 1 ? "" : "s",
      static_cast<double>(made.bytes) / static_cast<double>(1U << 20U));
}

/// The changes from `from` on that may go together.
Replay::Number Replay::end_of_batch(Number from) const noexcept {
  const WriteJournal& journal = unflushed_->journal();
  if (from >= doubtful_from_ && from < doubtful_to_) return from + 1;
  Number most = std::min(from + kAtOnce, journal.mark());
  if (from < doubtful_from_) most = std::min(most, doubtful_from_);
  for (Number next = from + 1; next < most; ++next) {
    for (Number earlier = from; earlier < next; ++earlier) {
      if (overlap(journal.at(earlier), journal.at(next))) return next;
    }
  }
  return most;
}

Task<void> Replay::make_together(RequestContext& context, Lun& lun, Number from, Number to) {
  std::vector<Task<void>> all;
  for (Number number = from; number < to; ++number) {
    all.push_back(make_one(context, lun, number));
  }
  try {
    co_await when_all(std::move(all));
  } catch (const Error& error) {
    if (!give_up_on(from, to, error)) throw;
  }
}

Task<void> Replay::make_one(RequestContext& context, Lun& lun, Number number) {
  std::optional<Error> refusal;
  try {
    co_await send(context, lun, number);
  } catch (const Error& error) {
    if (passes(error.kind())) throw;
    refusal = error;
  }
  if (refusal) refuse(number, *refusal);
}

Task<void> Replay::send(RequestContext& context, Lun& lun, Number number) {
  const Change change = unflushed_->journal().at(number);
  switch (change.kind) {
    case Kind::kData: {
      std::uint64_t offset = change.offset;
      for (const ConstIoSpan part : unflushed_->journal().data(number)) {
        co_await lun.write(context, offset, part);
        offset += part.size();
      }
      break;
    }
    case Kind::kZeroes:
    case Kind::kHole:
      co_await lun.write_zeroes(context, change.offset, change.length, change.kind == Kind::kHole);
      break;
    case Kind::kUnmap:
      if (lun.geometry().can_unmap) co_await lun.unmap(context, change.offset, change.length);
      break;
    case Kind::kDropped:
      break;
  }
}

/// What is before `number` was made.
void Replay::passed(Number number) noexcept {
  if (number < doubtful_to_) return;
  doubtful_from_ = doubtful_to_ = 0;
  stuck_at_.reset();
}

/// One of these has failed: whether it is known which, and for so long that it is left out.
bool Replay::give_up_on(Number from, Number to, const Error& error) {
  if (error.kind() == ErrorKind::kCancelled) return false;
  if (from < doubtful_from_ || from >= doubtful_to_) {
    doubtful_from_ = from;
    doubtful_to_ = to;
  }
  const auto now = RequestContext::Clock::now();
  if (to - from > 1 || stuck_at_ != from) {
    stuck_at_ = from;
    stuck_since_ = now;
    return false;
  }
  if (now - stuck_since_ < manners_.patience) return false;
  refuse(from, error);
  return true;
}

void Replay::refuse(Number number, const Error& error) {
  const Change change = unflushed_->journal().at(number);
  unflushed_->note_refused(number);
  if (change.kind == Kind::kUnmap) return;  // a hint
  if (refused_ == 0) unflushed_->count_loss();
  if (refused_++ >= kMostLines) return;
  log::error("lun={}: {} bytes at {} were acknowledged and cannot be written again: {}",
             unflushed_->lun(), change.length, change.offset, error.message());
}

Replay::Sum Replay::sum() const noexcept {
  const WriteJournal& journal = unflushed_->journal();
  Sum sum;
  for (Number number = journal.first(); number < journal.mark(); ++number) {
    const Change& change = journal.at(number);
    if (change.kind == Kind::kDropped || change.kind == Kind::kUnmap) continue;
    ++sum.changes;
    sum.bytes += change.length;
  }
  return sum;
}

}  // namespace lunfs::iscsi
