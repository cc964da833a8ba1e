#include "iscsi/session_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/at_work.h"
#include "iscsi/outage_errors.h"
#include "iscsi/sense.h"

namespace lunfs::iscsi {

namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5000};
/// While not even TCP answers a try costs next to nothing, and the target's return is noticed soon.
constexpr std::chrono::milliseconds kLongestProbePause{500};
constexpr std::chrono::milliseconds kConnectLimit{1000};

double seconds_of(RequestContext::Clock::duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

SessionKeeper::SessionKeeper(Reactor& reactor, ThreadPool& pool, Options options,
                             LunIdentity identity, PathWatch paths)
    : reactor_(reactor),
      pool_(pool),
      options_(std::move(options)),
      paths_(std::move(paths)),
      expected_{.identity = std::move(identity), .number = options_.lun},
      work_ended_(reactor) {
  options_.login.connect_limit = kConnectLimit;
}

SessionKeeper::~SessionKeeper() {
  if (session_) session_->set_on_end({});
}

void SessionKeeper::start(std::shared_ptr<Session> session) {
  session_ = std::move(session);
  session_->share_late_failure(*this);
  up_since_ = Clock::now();
  session_->set_on_end([this] { on_session_end(); });
  if (session_->connection().ended()) on_session_end();
  watch_paths();
}

Task<CommandResult> SessionKeeper::execute(RequestContext& context, const ScsiCommand& command) {
  const Clock::time_point since = command.since ? *command.since : Clock::now();
  // What came back of a command that it was part of came in this turn, if a session ended it.
  Sent sent{.data = command.maybe_sent, .session = ended_ + (phase_ == Phase::kUp ? 1 : 0)};
  ScsiCommand current = command;
  current.not_in_doubt = true;
  current.due = due_of(command, since);
  current.send_by = send_by(current);
  while (true) {
    if (phase_ != Phase::kUp) {
      co_await wait_until_up(context, since, sent.data, command);
      current.busy_took = {};  // was another session's
      current.send_by = send_by(current);
    }
    const bool unsettled = unsettled_until_ != 0 && sent.session <= unsettled_until_;
    if (sent.data && unsettled) throw not_sent_again(command);
    // Held: it may be replaced before everything on it has come back.
    const std::shared_ptr<Session> session = session_;
    std::optional<CommandResult> result;
    try {
      if (others_have_news(command)) {
        co_await heed_others(context, since, command);
        if (session != session_ || phase_ != Phase::kUp) continue;
      }
      result = co_await session->execute(context, current);
    } catch (const Error& error) {
      const bool over = session->connection().ended() || session->in_doubt();
      const bool unknown = error.kind() == ErrorKind::kOutcomeUnknown;
      if (unknown && command.resend == Resend::kNever) note_late_write(command);
      check_resend(error, command, over, sent);
    }
    if (!result || note_access_answer(session, *result)) continue;
    if (came_too_late(session, *result)) continue;
    if (restart_after_reset(*session, *result)) continue;
    if (casts_doubt(*result)) take_doubt(session, *result);
    if (!session->in_doubt()) co_return *result;
    co_await wait_for_verdict(*session, *current.due);
    if (!session->in_doubt()) co_return *result;
    // The answer of whoever it was is none, but for what it says of earlier writes: said once.
    if (result->sense && result->sense->deferred) late_failure()->note(sense_text(*result->sense));
    if (phase_ == Phase::kRefused) throw Error(*failure_);
    // It was lost before that could be told.
    const bool has_data = command.out_size() != 0;
    check_resend(Error(has_data ? ErrorKind::kOutcomeUnknown : ErrorKind::kUnreachable,
                       fmt::format("{} was sent, perhaps to another LUN or before a reset",
                                   command_name(command.cdb))),
                 command, true, sent);
  }
}

/// Returns when the command, which came back by `error`, is to be sent again. `over`: the session
/// is not the one to use any more, or not for now.
void SessionKeeper::check_resend(const Error& error, const ScsiCommand& command, bool over,
                                 Sent& sent) const {
  // Cancelled, or its time was up before it was sent this time.
  const bool gave_up =
      error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kTimedOut;
  if (gave_up && sent.data) throw sent_and_given_up(command);
  const bool was_sent = error.kind() == ErrorKind::kOutcomeUnknown;
  const bool may_go_again = !command.once && !(was_sent && command.resend == Resend::kNever);
  if (gave_up || !over || !may_go_again) throw Error(error);
  if (was_sent) sent = {.data = true, .session = ended_};
}

/// When a command whose caller has waited since `since` must have ended.
SessionKeeper::Clock::time_point SessionKeeper::due_of(const ScsiCommand& command,
                                                       Clock::time_point since) const noexcept {
  return std::min(since + options_.outage_limit, command.due.value_or(Clock::time_point::max()));
}

/// Sent later it might end, at its due, a session whose target is only slow: one that takes its
/// time to say that it is busy may take as long again. A flush that was swallowed, which takes
/// three quarters of its time, is to be sent again.
SessionKeeper::Clock::time_point SessionKeeper::send_by(const ScsiCommand& command) const noexcept {
  constexpr Clock::duration kEnough = std::chrono::seconds(10);
  const Clock::duration margin = std::min(Clock::duration(options_.outage_limit) / 16, kEnough);
  return *command.due - margin - command.busy_took;
}

/// Until when it waits for a session.
SessionKeeper::Clock::time_point SessionKeeper::limit_of(const ScsiCommand& command,
                                                         Clock::time_point since) const noexcept {
  return std::min(lost_at_ + options_.outage_limit, due_of(command, since));
}

/// Ends when the session is there.
Task<void> SessionKeeper::wait_until_up(RequestContext& context, Clock::time_point since,
                                        bool sent_data, const ScsiCommand& command) {
  while (phase_ == Phase::kLost || phase_ == Phase::kChecking) {
    const Clock::time_point limit = limit_of(command, since);
    const bool too_late = command.once || Clock::now() >= limit;
    const bool revoked = context.revocation != nullptr && context.revocation->done();
    const bool given_up = revoked || context.cancelled() || Clock::now() >= context.deadline;
    if (sent_data && (too_late || given_up)) note_late_write(command);
    if (too_late) throw too_long();
    if (given_up && sent_data) throw sent_and_given_up(command);
    context.check();
    WakeUp up(reactor_);
    const WakeUpLine::Place place(waiting_, up, since);
    co_await up.until(context, limit);
  }
  if (phase_ != Phase::kUp) throw Error(*failure_);
}

/// Ends when it is known whether answers that came over `session` count, or at `due`.
Task<void> SessionKeeper::wait_for_verdict(const Session& session, Clock::time_point due) {
  RequestContext unlimited;
  while (phase_ == Phase::kChecking && &session == session_.get() && Clock::now() < due) {
    WakeUp told(reactor_);
    const WakeUpLine::Place place(waiting_, told, Clock::now());
    co_await told.until(unlimited, due);
  }
}

Error SessionKeeper::too_long() const {
  const double seconds = seconds_of(Clock::now() - lost_at_);
  if (!paths_.set().several()) {
    return outage_too_long(options_.login.portal.text(), seconds, *failure_);
  }
  return outage_too_long(fmt::format("any of {} portals", paths_.set().size()), seconds,
                         Error(failure_->kind(), paths_.reasons())
                             .because(failure_->cause())
                             .advise(failure_->remedy()));
}

/// Runs inside the end of the connection.
void SessionKeeper::on_session_end() {
  if (phase_ == Phase::kClosed) return;
  ++ended_;
  note_left_writes(paths_.set().current(), *session_);
  reached_before_ = true;
  const bool left = std::exchange(leaving_, false);
  if (!left) ++outages_;
  if (phase_ == Phase::kRefused) {
    paths_.fail(paths_.set().current(), failure_->message(), true);
  } else if (!left) {
    phase_ = Phase::kLost;
    lost_at_ = Clock::now();
    const bool good = lost_at_ - up_since_ >= kGoodSession;
    failure_ = loss(good);
    log::warn("portal={}: session lost: {}; logging in again", portal_text(), failure_->message());
    paths_.lose(failure_->message(), good);
    waiting_.wake_all();
  }
  if (!refused_for_good_ && !restoring_) start_restoring();
}

/// Why the session was lost; one that ends right after its login, time after time, has a cause of
/// its own.
Error SessionKeeper::loss(bool good) {
  const Error& reason = session_->connection().failure();
  if (good) {
    pause_ = {};
    thrown_out_ = resets_ = 0;
    return reason;
  }
  // A target that does not answer has thrown nobody out.
  thrown_out_ = session_->connection().closed_by_target() ? thrown_out_ + 1 : 0;
  if (thrown_out_ < kSuspicious) return reason;
  Error error =
      thrown_out(reason, thrown_out_, kGoodSession, options_.login.connection.initiator_name);
  if (thrown_out_ == kSuspicious) {
    log::error("portal={}: {}", portal_text(), three_part_text(error));
  }
  return error;
}

void SessionKeeper::start_restoring() {
  restoring_ = true;
  spawn(restore(shared_from_this()), [](const std::exception_ptr& /*it has none*/) {});
}

Task<void> SessionKeeper::restore(std::shared_ptr<SessionKeeper> self) {
  const AtWork at_work(self->at_work_, self->work_ended_);
  try {
    co_await self->try_until_up();
  } catch (const std::exception& error) {  // closed
    log::debug("portal={}: logging in again ends: {}", self->portal_text(), error.what());
  }
  self->restoring_ = false;
}

Task<void> SessionKeeper::try_until_up() {
  RequestContext context{.cancellation = &closing_};
  while (phase_ == Phase::kLost || (phase_ == Phase::kRefused && !refused_for_good_)) {
    const PathSet::Turn turn = paths_.set().next();
    // Also without a pause: the end of the old session is still under way in this turn.
    const auto pause = turn.new_round ? pause_ : std::chrono::milliseconds(0);
    co_await reactor_.sleep_until(context, Clock::now() + pause);
    const bool connected = co_await try_once(turn);
    context.check();
    reached_ = reached_ || connected;
    if (paths_.set().round_over()) back_off(std::exchange(reached_, false));
  }
}

/// False if not even TCP answered.
Task<bool> SessionKeeper::try_once(const PathSet::Turn& turn) {
  bool connected = false;
  RequestContext context = RequestContext::within(options_.attempt_limit);
  context.cancellation = &closing_;
  try {
    Attempt result = co_await attempt(context, turn, connected);
    if (result.session) settle(std::move(result));
  } catch (const Error& error) {
    note_failure(turn.path, error);
  } catch (const std::exception& error) {
    note_failure(turn.path, Error(ErrorKind::kInternal, error.what()));
  }
  co_return connected;
}

/// Of an attempt. Said once, as long as it stays the same.
void SessionKeeper::note_failure(std::size_t path, const Error& error) {
  if (closing_.requested()) return;
  paths_.fail(path, error.message());
  if (phase_ != Phase::kLost) return;
  if (error.message() != failure_->message() && !paths_.set().several()) {
    log::info("portal={}: not back: {}", portal_text(), error.message());
  }
  failure_ =
      Error(ErrorKind::kUnreachable, error.message()).because(error.cause()).advise(error.remedy());
}

void SessionKeeper::back_off(bool connected) {
  // Reachable again: whatever made the attempts rare before is over.
  if (connected && !std::exchange(reached_before_, connected)) pause_ = {};
  reached_before_ = connected;
  if (!connected) thrown_out_ = 0;  // it was restarted: no twin's work
  pause_ = std::clamp(pause_ * 2, kFirstPause, connected ? kLongestPause : kLongestProbePause);
}

Task<SessionKeeper::Attempt> SessionKeeper::attempt(RequestContext& context,
                                                    const PathSet::Turn& turn, bool& connected) {
  LoginRequest request = options_.login;
  request.portal = paths_.set().at(turn.path).portal;
  request.quiet = true;
  request.on_connected = [&connected] { connected = true; };
  std::unique_ptr<Connection> connection = co_await log_in(context, reactor_, pool_, request);
  Attempt result{.path = turn.path, .session = {}, .check = {}};
  result.session =
      std::make_shared<Session>(std::move(connection), options_.lun, options_.command_timeout);
  result.session->share_late_failure(*this);
  {
    const EndAtDeadline limit(
        result.session->connection(), context,
        fmt::format("{} logs in and does not answer", paths_.portal_text(turn.path)));
    const bool best = co_await is_best(context, *result.session, turn);
    if (!best) co_return Attempt{.path = turn.path, .session = {}, .check = {}};
    result.check = co_await check_lun(context, *result.session, expected_, options_.retries);
    if (!result.check.refusal && left_writes_.any()) {
      result.unsettled = !co_await settle_left_writes(context, *result.session, turn.path);
      // Once more: this takes what the LUN says of the reset.
      result.check = co_await check_lun(context, *result.session, expected_, options_.retries);
    }
  }
  if (!result.check.refusal) co_await write_again(result);
  if (result.session->connection().ended()) throw Error(result.session->connection().failure());
  co_return result;
}

void SessionKeeper::refuse(Refusal refusal) {
  const bool told = phase_ == Phase::kRefused && failure_->message() == refusal.error.message();
  phase_ = Phase::kRefused;
  refused_for_good_ = refusal.for_good;
  failure_ = std::move(refusal.error);
  // Before anybody goes on: a write of another session may have waited for one of this.
  if (options_.shared) options_.shared->refused.set(refused_told_);
  if (!told) log::error("portal={}: {}", portal_text(), three_part_text(*failure_));
  waiting_.wake_all();
}

/// Takes what an attempt has come to, unless close() was quicker.
void SessionKeeper::settle(Attempt attempt) {
  if (phase_ != Phase::kLost && phase_ != Phase::kRefused) return;
  if (attempt.check.refusal) {
    if (!refused_everywhere(attempt.path, *attempt.check.refusal)) return;
    return refuse(*std::move(attempt.check.refusal));
  }
  if (options_.shared) {
    // At its login, or by a reset, the target has ended what an earlier session had sent.
    options_.shared->late_write.clear(late_write_told_);
    options_.shared->refused.clear(refused_told_);
  }
  const bool left_replay = std::exchange(left_replay_, false);
  if (attempt.unsettled) {
    if (left_replay) unsaved_.count_loss();
    unsettled_until_ = ended_;
    left_writes_.settle_all();  // they are told as what they are
  }
  if (attempt.path != paths_.set().current()) ++failovers_;
  paths_.use(attempt.path);
  const double seconds = seconds_of(Clock::now() - lost_at_);
  const SessionStats old = session_->stats();
  past_.commands += old.commands;
  past_.bytes_read += old.bytes_read;
  past_.bytes_written += old.bytes_written;
  if (on_looked_) on_looked_(attempt.check.features, Looked::kNewSession);
  phase_ = Phase::kUp;
  start(std::move(attempt.session));
  log::warn("portal={}: session is back after {:.1f} s", portal_text(), seconds);
  waiting_.wake_all();
}

SessionState SessionKeeper::state() const {
  using Kind = SessionState::Kind;
  SessionState state{.outages = outages_, .failovers = failovers_};
  if (phase_ == Phase::kUp || phase_ == Phase::kChecking) return state;
  state.kind = Kind::kClosed;
  if (phase_ == Phase::kLost) state.kind = Kind::kLost;
  if (phase_ == Phase::kRefused) state.kind = Kind::kRefused;
  state.lost_for = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - lost_at_);
  state.reason = failure_->message();
  return state;
}

SessionStats SessionKeeper::stats() const noexcept {
  const SessionStats now = session_->stats();
  SessionStats sum = past_;
  sum.commands += now.commands;
  sum.bytes_read += now.bytes_read;
  sum.bytes_written += now.bytes_written;
  return sum;
}

void SessionKeeper::close() noexcept {
  if (phase_ == Phase::kClosed) return;
  expected_.guard = nullptr;
  on_looked_ = nullptr;
  unsaved_ = {};
  if (phase_ == Phase::kUp) lost_at_ = Clock::now();
  phase_ = Phase::kClosed;
  failure_ = Error(ErrorKind::kUnreachable, "the session was closed");
  closing_.request();
  waiting_.wake_all();
}

Task<void> SessionKeeper::logout(RequestContext& context) {
  close();
  while (at_work_ != 0 && !context.cancelled() && Clock::now() < context.deadline) {
    co_await work_ended_.until(context);
  }
  co_await session_->connection().logout(context);
}

}  // namespace lunfs::iscsi
