// What SessionKeeper does when the LUN may be another one, or may have lost its cache.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/at_work.h"
#include "iscsi/sense.h"
#include "iscsi/session_keeper.h"

namespace lunfs::iscsi {

namespace {

/// Also where commands may take longer: a target that swallows one would hold up all others.
constexpr std::chrono::seconds kLongestReplayedCommand{120};

/// So many resets that a LUN tells, each soon after a login, are no accident.
constexpr unsigned kMostResets = 6;

}  // namespace

/// What the LUN may have lost is written again, as long as that takes: each command has a limit.
Task<void> SessionKeeper::write_again(const Attempt& attempt) {
  if (!unsaved_.write_again) co_return;
  Session& session = *attempt.session;
  // It may end with some of it unanswered, like one that was up.
  session.set_on_end([this, path = attempt.path, &session] {
    note_left_writes(path, session);
    left_replay_ = left_replay_ || session.left_writes();
  });
  RequestContext context{.cancellation = &closing_};
  const EndAtDeadline end_when_closed(session.connection(), context, {});
  session.set_command_timeout(std::min(options_.command_timeout, kLongestReplayedCommand));
  co_await unsaved_.write_again(context, session, attempt.check.features);
  session.set_command_timeout(options_.command_timeout);
}

/// True if the answer says that the LUN may be another one, or was reset, and there is no session
/// any more to look over: it has ended since, or is being left. The command was not carried out,
/// and what was answered behind it does not count.
bool SessionKeeper::came_too_late(const std::shared_ptr<Session>& session,
                                  const CommandResult& result) {
  Connection& connection = session->connection();
  const bool ended = connection.ended();
  const bool left = leaving_ && session == session_;
  // A path is not left in haste for the sake of nothing: what it has not answered would have to be
  // ended by LOGICAL UNIT RESET.
  const bool reset =
      result.sense && tells_of_reset(*result.sense) && (ended || (unsaved_.any && unsaved_.any()));
  const bool doubt = casts_doubt(result);
  if (!(ended || left) || !(reset || doubt)) return false;
  if (doubt && options_.shared) doubts_seen_ = ++options_.shared->doubts;
  session->set_in_doubt(true);
  // Nothing if it has ended.
  connection.end(Error(ErrorKind::kUnreachable,
                       fmt::format("LUN {}: {}", options_.lun, sense_text(*result.sense))));
  return true;
}

/// Counts one that the LUN has told soon after its login. True if it says so after each login, and
/// is left as it is.
bool SessionKeeper::too_many_resets() {
  if (Clock::now() - up_since_ >= kGoodSession) resets_ = 0;
  if (++resets_ < kMostResets) return false;
  if (resets_ == kMostResets) {
    log::error("portal={}: LUN {} is reset time after time; unflushed writes may be lost",
               portal_text(), options_.lun);
  }
  unsaved_.count_loss();
  return true;
}

/// True if the answer says that the LUN was reset, and what it may have lost can be written again:
/// over a new session, whose login ends everything that is still in flight to the LUN. What was
/// answered meanwhile does not count.
bool SessionKeeper::restart_after_reset(Session& session, const CommandResult& result) {
  if (!result.sense || !tells_of_reset(*result.sense)) return false;
  if (&session != session_.get() || !unsaved_.any) return false;
  // Also where there is nothing yet: a write that was answered meanwhile is noted after the look.
  if (phase_ == Phase::kChecking) return reset_while_checking_ = true;
  if (!unsaved_.any() || phase_ != Phase::kUp || too_many_resets()) return false;
  session.set_in_doubt(true);
  session.connection().end(
      Error(ErrorKind::kUnreachable, fmt::format("LUN {} was reset with unflushed writes: {}",
                                                 options_.lun, sense_text(*result.sense))));
  return true;
}

void SessionKeeper::look_again(const std::shared_ptr<Session>& session,
                               const std::string& because) {
  if (session != session_) return;
  if (phase_ == Phase::kChecking) doubt_while_checking_ = true;
  if (phase_ != Phase::kUp) return;
  phase_ = Phase::kChecking;
  lost_at_ = Clock::now();
  failure_ = Error(ErrorKind::kUnreachable,
                   fmt::format("LUN {} is being looked at again: {}", options_.lun, because));
  log::warn("portal={}: {}", portal_text(), failure_->message());
  reset_while_checking_ = false;
  session->set_in_doubt(true);
  spawn(look(shared_from_this(), session), [](const std::exception_ptr& /*it has none*/) {});
}

Task<void> SessionKeeper::look(std::shared_ptr<SessionKeeper> self,
                               std::shared_ptr<Session> session) {
  const AtWork at_work(self->at_work_, self->work_ended_);
  Connection& connection = session->connection();
  RequestContext context =
      RequestContext::within(std::min(self->options_.attempt_limit, self->options_.outage_limit));
  context.cancellation = &self->closing_;
  try {
    const EndAtDeadline limit(connection, context,
                              fmt::format("{} does not tell what LUN it is", self->portal_text()));
    bool reset = false;
    do {  // again, if a command that was in flight brings the same news
      self->doubt_while_checking_ = false;
      LunCheck check =
          co_await check_lun(context, *session, self->expected_, self->options_.retries);
      reset = reset || check.reset;
      check.reset = reset;
      if (!self->doubt_while_checking_) self->decide(*session, std::move(check));
    } while (self->doubt_while_checking_);
  } catch (const std::exception& error) {
    // Nothing if it ended meanwhile.
    connection.end(Error(ErrorKind::kUnreachable,
                         fmt::format("LUN {}: {}", self->options_.lun, error.what())));
  }
}

void SessionKeeper::decide(Session& session, LunCheck check) {
  if (phase_ != Phase::kChecking || &session != session_.get()) return;
  if (check.refusal) {
    if (!refused_everywhere(paths_.set().current(), *check.refusal)) {
      return session.connection().end(std::move(check.refusal->error));
    }
    refuse(*std::move(check.refusal));
    session.connection().end(*failure_);
    return;
  }
  const bool reset = std::exchange(reset_while_checking_, false) || check.reset;
  if (reset && unsaved_.any && !too_many_resets()) {
    return session.connection().end(
        Error(ErrorKind::kUnreachable,
              fmt::format("LUN {} was reset with unflushed writes", options_.lun)));
  }
  // One that was reset may have lost as much as one with a new session.
  if (on_looked_) on_looked_(check.features, reset ? Looked::kNewSession : Looked::kSameSession);
  session.set_in_doubt(false);
  phase_ = Phase::kUp;
  waiting_.wake_all();
}

}  // namespace lunfs::iscsi
