#include "iscsi/session_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/spawn.h"
#include "base/unaligned_device.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun.h"

namespace lunfs::iscsi {

namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5000};
/// While not even TCP answers a try costs next to nothing, and the target's return is noticed soon.
constexpr std::chrono::milliseconds kLongestProbePause{500};
constexpr std::chrono::milliseconds kConnectLimit{1000};
/// A session that lived longer was a good one: the next loss is answered without a pause.
constexpr std::chrono::seconds kGoodSession{10};

double seconds_of(RequestContext::Clock::duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

SessionKeeper::SessionKeeper(Reactor& reactor, ThreadPool& pool, Options options,
                             LunIdentity identity)
    : reactor_(reactor),
      pool_(pool),
      options_(std::move(options)),
      identity_(std::move(identity)),
      restoring_ended_(reactor) {
  options_.login.connect_limit = kConnectLimit;
}

void SessionKeeper::start(std::shared_ptr<Session> session) {
  session_ = std::move(session);
  up_since_ = Clock::now();
  session_->set_on_end([this] { on_session_end(); });
  if (session_->connection().ended()) on_session_end();
}

Task<CommandResult> SessionKeeper::execute(RequestContext& context, const ScsiCommand& command) {
  const Clock::time_point since = command.since.value_or(Clock::now());
  bool sent_data = false;
  for (;;) {
    if (phase_ != Phase::kUp) co_await wait_until_up(context, since, sent_data, command);
    // Held: it may be replaced before everything on it has come back.
    const std::shared_ptr<Session> session = session_;
    try {
      co_return co_await session->execute(context, command);
    } catch (const Error& error) {
      // Cancelled, or its time was up before it was sent this time.
      const bool gave_up =
          error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kTimedOut;
      if (gave_up && sent_data) {
        throw Error(ErrorKind::kOutcomeUnknown,
                    fmt::format("{} was sent and not answered, and the caller gave up",
                                command_name(command.cdb)));
      }
      if (gave_up || !session->connection().ended()) throw;
      const bool sent = error.kind() == ErrorKind::kOutcomeUnknown;
      if (command.once || (sent && command.resend == Resend::kNever)) throw;
      sent_data = sent_data || sent;
    }
  }
}

/// Ends when the session is there.
Task<void> SessionKeeper::wait_until_up(RequestContext& context, Clock::time_point since,
                                        bool sent_data, const ScsiCommand& command) {
  while (phase_ == Phase::kLost) {
    const Clock::time_point limit = std::min(since, lost_at_) + options_.outage_limit;
    if (command.once || Clock::now() >= limit) throw too_long();
    const bool given_up = context.cancelled() || Clock::now() >= context.deadline;
    if (given_up && sent_data) {
      throw Error(ErrorKind::kOutcomeUnknown,
                  fmt::format("{} was sent and not answered, and the caller gave up while the "
                              "session was lost",
                              command_name(command.cdb)));
    }
    context.check();
    WakeUp up(reactor_);
    const auto place = waiting_.insert(waiting_.end(), &up);
    co_await up.until(context, limit);
    waiting_.erase(place);
  }
  if (phase_ != Phase::kUp) throw Error(*failure_);
}

Error SessionKeeper::too_long() const {
  return Error(ErrorKind::kUnreachable,
               fmt::format("no session with {} for {:.0f} s: {}", options_.login.portal.text(),
                           seconds_of(Clock::now() - lost_at_), failure_->message()))
      .because("the target, or the network to it, is down")
      .advise("bring the target back: reads and writes work again by themselves then");
}

/// Runs inside the end of the connection.
void SessionKeeper::on_session_end() {
  if (phase_ != Phase::kUp) return;
  phase_ = Phase::kLost;
  lost_at_ = Clock::now();
  failure_ = session_->connection().failure();
  ++outages_;
  if (lost_at_ - up_since_ >= kGoodSession) pause_ = {};
  reached_before_ = true;
  log::warn("portal={}: session lost: {}; logging in again", portal_text(), failure_->message());
  restoring_ = true;
  spawn(restore(shared_from_this()), [](const std::exception_ptr& /*it has none*/) {});
}

void SessionKeeper::wake_all() noexcept {
  for (WakeUp* one : waiting_) one->wake();
}

Task<void> SessionKeeper::restore(std::shared_ptr<SessionKeeper> self) {
  try {
    co_await self->try_until_up();
  } catch (const std::exception& error) {  // closed
    log::debug("portal={}: logging in again ends: {}", self->portal_text(), error.what());
  }
  self->restoring_ = false;
  self->restoring_ended_.wake();
}

Task<void> SessionKeeper::try_until_up() {
  RequestContext context{.cancellation = &closing_};
  while (phase_ == Phase::kLost) {
    // Also without a pause: the end of the old session is still under way in this turn.
    co_await reactor_.sleep_until(context, Clock::now() + pause_);
    const bool connected = co_await try_once();
    context.check();
    back_off(connected);
  }
}

/// False if not even TCP answered.
Task<bool> SessionKeeper::try_once() {
  bool connected = false;
  RequestContext context = RequestContext::within(options_.attempt_limit);
  context.cancellation = &closing_;
  try {
    Attempt result = co_await attempt(context, connected);
    settle(std::move(result));
  } catch (const std::exception& error) {
    if (phase_ == Phase::kLost) failure_ = Error(ErrorKind::kUnreachable, error.what());
    log::debug("portal={}: not yet: {}", portal_text(), error.what());
  }
  co_return connected;
}

void SessionKeeper::back_off(bool connected) {
  // Reachable again: whatever made the attempts rare before is over.
  if (connected && !std::exchange(reached_before_, connected)) pause_ = {};
  reached_before_ = connected;
  pause_ = std::clamp(pause_ * 2, kFirstPause, connected ? kLongestPause : kLongestProbePause);
}

Task<SessionKeeper::Attempt> SessionKeeper::attempt(RequestContext& context, bool& connected) {
  LoginRequest request = options_.login;
  request.on_connected = [&connected] { connected = true; };
  std::unique_ptr<Connection> connection = co_await log_in(context, reactor_, pool_, request);
  Attempt result;
  result.session =
      std::make_shared<Session>(std::move(connection), options_.lun, options_.command_timeout);
  {
    const EndAtDeadline limit(result.session->connection(), context,
                              fmt::format("{} logs in and does not answer", portal_text()));
    result.refusal = co_await look_at_lun(context, *result.session, result.features);
  }
  if (result.session->connection().ended()) throw Error(result.session->connection().failure());
  co_return result;
}

/// Why the LUN that stands there must not be used, if so. Errors: it cannot be told now.
Task<std::optional<Error>> SessionKeeper::look_at_lun(RequestContext& context, Session& session,
                                                      LunFeatures& features) {
  CommandRunner runner(session, options_.retries);
  features = co_await probe_lun(context, runner, options_.lun);
  std::optional<Error> refusal = other_lun(features.identity);
  if (refusal || !guard_) co_return refusal;
  Lun lun(runner, features);
  UnalignedDevice bytes(reactor_, lun);
  refusal = co_await guard_(context, bytes);
  co_return refusal;
}

std::optional<Error> SessionKeeper::other_lun(const LunIdentity& found) const {
  if (found == identity_) return std::nullopt;
  const auto text = [](const LunIdentity& lun) {
    return fmt::format("{} {} serial={} id={} of {} bytes in blocks of {}", lun.vendor, lun.product,
                       lun.serial, lun.designator, lun.size_bytes, lun.block_size_bytes);
  };
  return Error(ErrorKind::kIo, fmt::format("another LUN stands at number {} now: {}, not {}",
                                           options_.lun, text(found), text(identity_)))
      .because("the array's LUNs were mapped anew, or the LUN was replaced or resized")
      .advise("nothing was sent to it; put the LUN back or unmount, check, and mount again");
}

/// Takes what an attempt has come to, unless close() was quicker.
void SessionKeeper::settle(Attempt attempt) {
  if (phase_ != Phase::kLost) return;
  if (attempt.refusal) {
    phase_ = Phase::kRefused;
    failure_ = std::move(attempt.refusal);
    log::error("portal={}: {}", portal_text(), three_part_text(*failure_));
    wake_all();
    return;
  }
  const double seconds = seconds_of(Clock::now() - lost_at_);
  const SessionStats old = session_->stats();
  past_.commands += old.commands;
  past_.bytes_read += old.bytes_read;
  past_.bytes_written += old.bytes_written;
  if (on_restored_) on_restored_(attempt.features);
  phase_ = Phase::kUp;
  start(std::move(attempt.session));
  log::warn("portal={}: session is back after {:.1f} s", portal_text(), seconds);
  wake_all();
}

SessionState SessionKeeper::state() const {
  SessionState state{.outages = outages_};
  switch (phase_) {
    case Phase::kUp:
      return state;
    case Phase::kLost:
      state.kind = SessionState::Kind::kLost;
      break;
    case Phase::kRefused:
      state.kind = SessionState::Kind::kRefused;
      break;
    case Phase::kClosed:
      state.kind = SessionState::Kind::kClosed;
      break;
  }
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
  guard_ = nullptr;
  on_restored_ = nullptr;
  if (phase_ == Phase::kUp) lost_at_ = Clock::now();
  phase_ = Phase::kClosed;
  failure_ = Error(ErrorKind::kUnreachable, "the session was closed");
  closing_.request();
  wake_all();
}

Task<void> SessionKeeper::logout(RequestContext& context) {
  close();
  while (restoring_ && !context.cancelled() && Clock::now() < context.deadline) {
    co_await restoring_ended_.until(context);
  }
  co_await session_->connection().logout(context);
}

}  // namespace lunfs::iscsi
