#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "base/wake_up.h"
#include "base/wake_up_line.h"
#include "iscsi/command_port.h"
#include "iscsi/login.h"
#include "iscsi/lun_check.h"
#include "iscsi/path_watch.h"
#include "iscsi/retry_policy.h"
#include "iscsi/session.h"
#include "iscsi/shared_lun.h"

namespace lunfs::iscsi {

/// Keeps a session with one LUN: when it ends, logs in anew, makes sure that the same LUN stands
/// there with nothing changed behind lunfs's back, and sends again what came back unanswered.
///
/// Safe to send again are reads, and writes that allow it, because the new session has the id of
/// the old one: the target ends the old one's commands before it lets the new one in. A write with
/// Resend::kNever that was sent ends as kOutcomeUnknown.
///
/// A command fails by kUnreachable when it has no answer within the outage limit, counted from when
/// its caller began to wait (one that could only be sent shortly before that is not), and when the
/// outage has lasted that long. While it lasts longer, new ones fail at once; logging in goes on,
/// and afterwards everything works again.
///
/// With several paths (PathWatch) the new session is made over the next one, the lost one last, and
/// what the target may still carry out of the old session is ended by LOGICAL UNIT RESET where the
/// new login has not done so. Where that fails, writes that were sent end as kOutcomeUnknown.
///
/// Where the target says that its LUNs have changed (UNIT ATTENTION, no such LUN), nothing is sent
/// and no answer counts before the LUN was looked at again in the same way.
///
/// Where other sessions use the LUN as well (SharedLun), what one of them has found holds for this
/// one: nothing is sent while one is refused, nor before the LUN was looked at again when one was
/// told that LUNs have changed, and no write while a lost one may have left a late one behind.
///
/// Held by shared_ptr: logging in may go on for a moment after close(). Belongs to the reactor's
/// thread.
class SessionKeeper final : public CommandPort, public std::enable_shared_from_this<SessionKeeper> {
 public:
  struct Options {
    LoginRequest login;  ///< with an ISID
    std::uint16_t lun = 0;
    std::chrono::seconds command_timeout{120};  ///< the Session's
    std::chrono::seconds outage_limit{120};
    std::chrono::seconds attempt_limit{15};  ///< from TCP to the last check
    RetryLimits retries{};
    std::shared_ptr<SharedLun> shared{};  ///< null: no other session uses the LUN
  };

  /// `reactor` and `pool` (name resolution) outlive this. `paths` has the one in use that the first
  /// session runs over. Call start() next.
  SessionKeeper(Reactor& reactor, ThreadPool& pool, Options options, LunIdentity identity,
                PathWatch paths);
  ~SessionKeeper() override;

  /// `session` is where commands go from now on; it is logged in.
  void start(std::shared_ptr<Session> session);

  /// See CommandPort. Errors: kUnreachable, kOutcomeUnknown (see above, and for a write that was
  /// sent and whose caller then gave up), kTimedOut and kCancelled (before it was sent; for one
  /// without data for the target also while it waits to be sent again), the ResumeGuard's.
  Task<CommandResult> execute(RequestContext& context, const ScsiCommand& command) override;
  void count_retry() noexcept override { ++past_.retries; }
  [[nodiscard]] SessionNames names() const override { return session_->names(); }
  [[nodiscard]] SessionState state() const override;
  [[nodiscard]] SessionStats stats() const noexcept override;
  [[nodiscard]] std::vector<PathReport> paths() const override { return paths_.set().all(); }
  [[nodiscard]] Reactor& reactor() noexcept override { return reactor_; }

  void set_guard(ResumeGuard guard) override { expected_.guard = std::move(guard); }
  void set_on_looked(OnLooked callback) override { on_looked_ = std::move(callback); }
  void set_unsaved(Unsaved unsaved) override { unsaved_ = std::move(unsaved); }

  /// Ends everything that waits, and the logging in.
  void close() noexcept override;
  /// close(), and a polite end of the session until the context's deadline. Never throws.
  Task<void> logout(RequestContext& context) override;

 private:
  using Clock = RequestContext::Clock;
  enum class Phase {
    kUp,
    kChecking,  ///< up, but the LUN may be another one: it is being looked at
    kLost,
    kRefused,
    kClosed,
  };
  /// A session that lived longer was a good one: the next loss is answered without a pause.
  static constexpr std::chrono::seconds kGoodSession{10};
  /// So many sessions in a row that end right after their login are no accident.
  static constexpr unsigned kSuspicious = 3;

  /// What came of one try to have a new session.
  struct Attempt {
    std::size_t path = 0;
    std::shared_ptr<Session> session;  ///< null: another path is better
    LunCheck check;
    /// What an earlier session has left unanswered may still be carried out.
    bool unsettled = false;
  };
  /// Of one command: what was sent of it before, and came back without an answer.
  struct Sent {
    bool data = false;
    std::uint64_t session = 0;  ///< the last one's number
  };

  [[nodiscard]] Clock::time_point due_of(const ScsiCommand& command,
                                         Clock::time_point since) const noexcept;
  [[nodiscard]] Clock::time_point send_by(const ScsiCommand& command) const noexcept;
  [[nodiscard]] Clock::time_point limit_of(const ScsiCommand& command,
                                           Clock::time_point since) const noexcept;
  Task<void> wait_until_up(RequestContext& context, Clock::time_point since, bool sent_data,
                           const ScsiCommand& command);
  Task<void> wait_for_verdict(const Session& session, Clock::time_point due);
  Task<void> heed_others(RequestContext& context, Clock::time_point since,
                         const ScsiCommand& command);
  [[nodiscard]] bool others_have_news(const ScsiCommand& command) const noexcept;
  void note_late_write(const ScsiCommand& command) noexcept;
  void check_resend(const Error& error, const ScsiCommand& command, bool over, Sent& sent) const;
  [[nodiscard]] Error too_long() const;

  void on_session_end();
  [[nodiscard]] Error loss(bool good);
  void start_restoring();
  static Task<void> restore(std::shared_ptr<SessionKeeper> self);
  Task<void> try_until_up();
  Task<bool> try_once(const PathSet::Turn& turn);
  Task<Attempt> attempt(RequestContext& context, const PathSet::Turn& turn, bool& connected);
  void note_failure(std::size_t path, const Error& error);
  void settle(Attempt attempt);
  void back_off(bool connected);

  void take_doubt(const std::shared_ptr<Session>& session, const CommandResult& because);
  Task<void> write_again(const Attempt& attempt);
  bool came_too_late(const std::shared_ptr<Session>& session, const CommandResult& result);
  bool restart_after_reset(Session& session, const CommandResult& result);
  bool too_many_resets();
  void look_again(const std::shared_ptr<Session>& session, const std::string& because);
  static Task<void> look(std::shared_ptr<SessionKeeper> self, std::shared_ptr<Session> session);
  void decide(Session& session, LunCheck check);
  void refuse(Refusal refusal);

  // Where there are several paths: session_paths.cpp.
  Task<bool> is_best(RequestContext& context, Session& session, const PathSet::Turn& turn);
  void note_left_writes(std::size_t path, Session& session);
  Task<bool> settle_left_writes(RequestContext& context, Session& session, std::size_t path);
  [[nodiscard]] bool refused_everywhere(std::size_t path, const Refusal& refusal);
  bool note_access_answer(const std::shared_ptr<Session>& session, const CommandResult& result);
  void leave_path(const std::shared_ptr<Session>& session, std::optional<AccessState> access,
                  const std::string& why);
  static Task<void> leave(std::shared_ptr<SessionKeeper> self, std::shared_ptr<Session> session);
  void reconsider();
  static Task<void> ask_access(std::shared_ptr<SessionKeeper> self,
                               std::shared_ptr<Session> session);
  void watch_paths();
  static Task<void> run_watch(std::shared_ptr<SessionKeeper> self);

  Reactor& reactor_;
  ThreadPool& pool_;
  Options options_;
  PathWatch paths_;
  ExpectedLun expected_;
  OnLooked on_looked_;
  Unsaved unsaved_;

  std::shared_ptr<Session> session_;  ///< the last one; shared with the commands on it
  Phase phase_ = Phase::kUp;
  bool refused_for_good_ = false;
  bool refused_told_ = false;      ///< to the other sessions
  bool late_write_told_ = false;   ///< to the other sessions
  std::uint64_t doubts_seen_ = 0;  ///< of SharedLun
  std::optional<Error> failure_;   ///< why phase_ is not kUp; the last attempt's, while lost
  WakeUpLine waiting_;
  SessionStats past_;  ///< of earlier sessions, and the retries
  std::uint64_t outages_ = 0;
  std::uint64_t failovers_ = 0;
  std::uint64_t ended_ = 0;  ///< sessions, ever; the number of the last one that has
  /// Writes that were sent over sessions up to this one must not be sent again; 0: none.
  std::uint64_t unsettled_until_ = 0;
  /// Since when LOGICAL UNIT RESET is asked for and not answered.
  std::optional<Clock::time_point> unanswered_since_;
  LeftWrites left_writes_;
  bool left_replay_ = false;  ///< some of left_writes_ may be what was written again
  unsigned thrown_out_ = 0;   ///< short sessions in a row that the target has closed
  unsigned resets_ = 0;       ///< that the LUN has told since the last good session
  Clock::time_point lost_at_{};
  Clock::time_point up_since_{};

  bool restoring_ = false;
  bool reset_while_checking_ = false;  ///< the LUN said that it was, while it was looked at
  bool doubt_while_checking_ = false;  ///< it said that it may be another one by now
  unsigned at_work_ = 0;               ///< coroutines that log in or look
  bool reached_before_ = false;        ///< the last attempt had a TCP connection
  bool reached_ = false;               ///< one of this round's attempts had
  bool leaving_ = false;               ///< the path in use is left, though its session is not lost
  bool watching_ = false;
  bool asking_access_ = false;
  Clock::time_point next_ask_{};  ///< of the access states because a path came back
  std::chrono::milliseconds pause_{0};
  Cancellation closing_;
  WakeUp work_ended_;
};

}  // namespace lunfs::iscsi
