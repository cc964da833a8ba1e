#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

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
/// its caller began to wait, and when the outage has lasted that long. While it lasts longer, new
/// ones fail at once; logging in goes on, and afterwards everything works again.
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

  /// `reactor` and `pool` (name resolution) outlive this. Call start() next.
  SessionKeeper(Reactor& reactor, ThreadPool& pool, Options options, LunIdentity identity);
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
  /// Counts a coroutine that works in the background.
  class AtWork {
   public:
    AtWork(unsigned& count, WakeUp& ended) : count_(count), ended_(ended) { ++count_; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    ~AtWork() {
      if (--count_ == 0) ended_.wake();
    }

   private:
    unsigned& count_;
    WakeUp& ended_;
  };
  /// A session that lived longer was a good one: the next loss is answered without a pause.
  static constexpr std::chrono::seconds kGoodSession{10};
  /// So many sessions in a row that end right after their login are no accident.
  static constexpr unsigned kSuspicious = 3;

  /// What came of one try to have a new session.
  struct Attempt {
    std::shared_ptr<Session> session;
    LunCheck check;
  };

  [[nodiscard]] Clock::time_point limit_of(Clock::time_point since) const noexcept;
  Task<void> wait_until_up(RequestContext& context, Clock::time_point since, bool sent_data,
                           const ScsiCommand& command);
  Task<void> wait_for_verdict(const Session& session);
  Task<void> heed_others(RequestContext& context, Clock::time_point since,
                         const ScsiCommand& command);
  [[nodiscard]] bool others_have_news(const ScsiCommand& command) const noexcept;
  void note_late_write(const ScsiCommand& command) noexcept;
  static void check_resend(const Error& error, const ScsiCommand& command, bool over,
                           bool& sent_data);
  [[nodiscard]] Error too_long() const;

  void on_session_end();
  [[nodiscard]] Error loss();
  void start_restoring();
  static Task<void> restore(std::shared_ptr<SessionKeeper> self);
  Task<void> try_until_up();
  Task<bool> try_once();
  Task<Attempt> attempt(RequestContext& context, bool& connected);
  void note_failure(const Error& error);
  void settle(Attempt attempt);
  void back_off(bool connected);

  void take_doubt(const std::shared_ptr<Session>& session, const CommandResult& because);
  Task<void> write_again(Session& session, const LunFeatures& found);
  bool restart_after_reset(Session& session, const CommandResult& result);
  void look_again(const std::shared_ptr<Session>& session, const std::string& because);
  static Task<void> look(std::shared_ptr<SessionKeeper> self, std::shared_ptr<Session> session);
  void decide(Session& session, LunCheck check);
  void refuse(Refusal refusal);

  Reactor& reactor_;
  ThreadPool& pool_;
  Options options_;
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
  unsigned short_sessions_ = 0;  ///< in a row
  Clock::time_point lost_at_{};
  Clock::time_point up_since_{};

  bool restoring_ = false;
  unsigned at_work_ = 0;         ///< coroutines that log in or look
  bool reached_before_ = false;  ///< the last attempt had a TCP connection
  std::chrono::milliseconds pause_{0};
  Cancellation closing_;
  WakeUp work_ended_;
};

}  // namespace lunfs::iscsi
