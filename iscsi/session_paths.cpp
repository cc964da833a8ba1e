// What a SessionKeeper does where there are several paths: which one a session is made over, what
// the lost one has left behind, and when one that works is left for a better one.
#include <fmt/format.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/at_work.h"
#include "iscsi/command_runner.h"
#include "iscsi/path_access.h"
#include "iscsi/session_keeper.h"

namespace lunfs::iscsi {

namespace {

/// For the answer to LOGICAL UNIT RESET, over each new session; and how long, at most half of the
/// outage limit, it is asked for again and again. The Linux kernel's target answers it when it has
/// given up the silent connection that a write came over in part: by its defaults after 45 s.
constexpr std::chrono::seconds kResetLimit{5};
constexpr std::chrono::seconds kAskForResetLimit{60};
/// For the goodbye to a path that is not taken.
constexpr std::chrono::seconds kGoodbyeLimit{1};
/// For what is in flight on a path that is left.
constexpr std::chrono::seconds kDrainLimit{5};
constexpr std::chrono::milliseconds kDrainLook{10};
/// A path that comes back is no reason to ask for the access states more often.
constexpr std::chrono::seconds kAskEvery{60};

const Sense* sense_of(const CommandResult& result) noexcept {
  const bool told = result.status == ScsiStatus::kCheckCondition && result.sense;
  return told && !result.sense->deferred ? &*result.sense : nullptr;
}

/// The port has come into a state without I/O, so that the command was not carried out.
bool port_is_out(const CommandResult& result) noexcept {
  const Sense* sense = sense_of(result);
  return sense != nullptr && sense->key == SenseKey::kNotReady &&
         (sense->is(0x04, 0x0b) ||  // standby
          sense->is(0x04, 0x0c));   // unavailable
}

bool states_changed(const CommandResult& result) noexcept {
  const Sense* sense = sense_of(result);
  return sense != nullptr && sense->key == SenseKey::kUnitAttention && sense->is(0x2a, 0x06);
}

}  // namespace

/// Whether the session that was just made is the one to use; if not, it is ended.
Task<bool> SessionKeeper::is_best(RequestContext& context, Session& session,
                                  const PathSet::Turn& turn) {
  // The login itself ends what an older session in its portal group has left.
  left_writes_.settle({turn.path, session.connection().portal_group()});
  if (!paths_.set().several()) co_return true;
  CommandRunner runner(session, options_.retries, options_.lun);
  const std::optional<PathAccess> access = co_await look_at_access(context, runner);
  if (access) paths_.set().note_access(turn.path, access->place, access->groups);
  const std::optional<AccessState> here = access ? access->here : std::nullopt;
  if (paths_.set().take(turn, here)) co_return true;
  paths_.answer(turn.path);
  if (!usable(*here) && phase_ == Phase::kLost) {
    failure_ = Error(ErrorKind::kUnreachable, paths_.reasons());
  }
  RequestContext goodbye = RequestContext::within(kGoodbyeLimit);
  goodbye.cancellation = context.cancellation;
  co_await session.connection().logout(goodbye);
  co_return false;
}

/// `session`, over `path`, has ended.
void SessionKeeper::note_left_writes(std::size_t path, Session& session) {
  if (!session.left_writes()) return;
  left_writes_.add({path, session.connection().portal_group()});
  unanswered_since_.reset();
}

/// True if nothing that an earlier session has left unanswered can be carried out any more.
Task<bool> SessionKeeper::settle_left_writes(RequestContext& context, Session& session,
                                             std::size_t path) {
  RequestContext reset = context;
  // An attempt may have less: then this ends before it does.
  const auto now = Clock::now();
  reset.deadline = now + std::min<Clock::duration>(kResetLimit, (context.deadline - now) / 2);
  try {
    co_await session.reset_lun(reset);
  } catch (const Error& error) {
    if (session.connection().ended() || error.kind() == ErrorKind::kCancelled) throw;
    const auto patience = std::min(options_.outage_limit / 2, kAskForResetLimit);
    if (!unanswered_since_) unanswered_since_ = now;
    if (error.kind() == ErrorKind::kTimedOut && Clock::now() < *unanswered_since_ + patience) {
      throw Error(ErrorKind::kUnreachable, "the target does not answer LOGICAL UNIT RESET yet");
    }
    log::error(
        "portal={}: writes that the lost path has not answered count as failed: the target may "
        "still carry them out, in another portal group, and LOGICAL UNIT RESET did not end them: "
        "{}",
        paths_.portal_text(path), error.message());
    unanswered_since_.reset();
    co_return false;
  }
  unanswered_since_.reset();
  log::info("portal={}: LOGICAL UNIT RESET has ended what the lost path left unanswered",
            paths_.portal_text(path));
  left_writes_.settle_all();
  co_return true;
}

/// Whether a refusal at `path` is one of the LUN, and not of that path alone.
bool SessionKeeper::refused_everywhere(std::size_t path, const Refusal& refusal) {
  paths_.fail(path, refusal.error.message(), true);
  if (refusal.for_good || paths_.set().all_refused()) return true;
  // The others may use that path: each looks at what it has.
  if (options_.shared) doubts_seen_ = ++options_.shared->doubts;
  return false;
}

/// Acts on what an answer says of the path. True if the command was not carried out because of
/// that, and goes to another path.
bool SessionKeeper::note_access_answer(const std::shared_ptr<Session>& session,
                                       const CommandResult& result) {
  if (!paths_.set().several()) return false;
  if (states_changed(result) && session == session_) reconsider();
  if (!port_is_out(result)) return false;
  leave_path(session,
             result.sense->ascq == 0x0b ? AccessState::kStandby : AccessState::kUnavailable,
             sense_text(*result.sense));
  return true;
}

/// Takes another path in an orderly way: what is in flight comes to its end first, so that nothing
/// is left that would have to be ended.
void SessionKeeper::leave_path(const std::shared_ptr<Session>& session,
                               std::optional<AccessState> access, const std::string& why) {
  if (phase_ != Phase::kUp || session != session_) return;
  phase_ = Phase::kLost;
  leaving_ = true;
  lost_at_ = Clock::now();
  failure_ = Error(ErrorKind::kUnreachable, why);
  const bool good = lost_at_ - up_since_ >= kGoodSession;
  if (good) pause_ = {};
  paths_.leave(why, good, access);
  spawn(leave(shared_from_this(), session), [](const std::exception_ptr& /*it has none*/) {});
}

Task<void> SessionKeeper::leave(std::shared_ptr<SessionKeeper> self,
                                std::shared_ptr<Session> session) {
  const AtWork at_work(self->at_work_, self->work_ended_);
  RequestContext context = RequestContext::within(kDrainLimit);
  context.cancellation = &self->closing_;
  try {
    // Also if it is idle: whoever noticed is still on it.
    do {
      co_await self->reactor_.sleep_until(context, Clock::now() + kDrainLook);
    } while (!session->idle());
  } catch (const Error& error) {
    log::debug("portal={}: the path is left with commands in flight: {}", self->portal_text(),
               error.message());
  }
  RequestContext goodbye = RequestContext::within(kGoodbyeLimit);
  goodbye.cancellation = &self->closing_;
  co_await session->connection().logout(goodbye);
}

/// Looks whether the path in use is still the best.
void SessionKeeper::reconsider() {
  if (phase_ != Phase::kUp || std::exchange(asking_access_, true)) return;
  spawn(ask_access(shared_from_this(), session_), [](const std::exception_ptr& /*it has none*/) {});
}

Task<void> SessionKeeper::ask_access(std::shared_ptr<SessionKeeper> self,
                                     std::shared_ptr<Session> session) {
  const AtWork at_work(self->at_work_, self->work_ended_);
  RequestContext context = RequestContext::within(self->options_.attempt_limit);
  context.cancellation = &self->closing_;
  // By way of the keeper, which acts on what else the LUN may have to say.
  CommandRunner runner(*self, self->options_.retries, self->options_.lun);
  try {
    const std::optional<PathAccess> access = co_await look_at_access(context, runner);
    PathSet& set = self->paths_.set();
    if (access && session == self->session_) {
      set.note_access(set.current(), access->place, access->groups);
      if (set.better_elsewhere()) {
        const AccessState here = *set.at(set.current()).access;
        self->leave_path(session, here,
                         fmt::format("another is better: the LUN is {} here", name_of(here)));
      }
    }
  } catch (const std::exception& error) {
    log::debug("portal={}: the access states are not told: {}", self->portal_text(), error.what());
  }
  self->asking_access_ = false;
}

void SessionKeeper::watch_paths() {
  if (!paths_.set().several() || std::exchange(watching_, true)) return;
  spawn(run_watch(shared_from_this()), [](const std::exception_ptr& /*it has none*/) {});
}

Task<void> SessionKeeper::run_watch(std::shared_ptr<SessionKeeper> self) {
  const AtWork at_work(self->at_work_, self->work_ended_);
  RequestContext context{.cancellation = &self->closing_};
  SessionKeeper& keeper = *self;
  // While there is no session the logins tell.
  const auto wanted = [&keeper] { return keeper.phase_ == Phase::kUp; };
  const auto came_back = [&keeper] {
    if (!keeper.paths_.set().better_elsewhere() || Clock::now() < keeper.next_ask_) return;
    keeper.next_ask_ = Clock::now() + kAskEvery;
    keeper.reconsider();
  };
  try {
    co_await keeper.paths_.run(context, wanted, came_back);
  } catch (const std::exception& error) {  // closed
    log::debug("portal={}: watching the paths ends: {}", keeper.portal_text(), error.what());
  }
}

}  // namespace lunfs::iscsi
