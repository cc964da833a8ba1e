#include "iscsi/name_trial.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/wake_up.h"

namespace lunfs::iscsi {

namespace {

using Clock = RequestContext::Clock;

constexpr unsigned kMaxLosses = 3;
/// One may have another reason: a restart, an administrator. Two in a row are somebody's doing.
constexpr unsigned kLossesOfATwin = 2;
constexpr std::chrono::seconds kLogoutLimit{2};

/// Waits on a session that sends nothing.
class Holder final : public Connection::User {
 public:
  Holder(Reactor& reactor, Connection& connection) : connection_(connection), ended_(reactor) {
    connection_.set_user(this);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() override { connection_.set_user(nullptr); }

  /// @return false if the session ended before.
  Task<bool> until(RequestContext& context, Clock::time_point when) {
    while (!connection_.ended() && Clock::now() < when) {
      co_await ended_.until(context, when);
      context.check();
    }
    co_return !connection_.ended();
  }

  void on_progress() noexcept override {}
  void on_tick() noexcept override {}
  void on_end() noexcept override { ended_.wake(); }

 private:
  Connection& connection_;
  WakeUp ended_;
};

enum class Outcome { kHeld, kLost, kRefused };

/// One login, held for a while. kCancelled and kTimedOut of `context` are thrown.
Task<Outcome> hold_once(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                        const LoginRequest& request, const TrialLimits& limits,
                        std::optional<Error>& refusal) {
  std::unique_ptr<Connection> connection;
  try {
    RequestContext login = context;
    login.deadline = std::min(context.deadline, Clock::now() + limits.login_timeout);
    connection = co_await log_in(login, reactor, pool, request);
  } catch (const Error& error) {
    refusal = error;
  }
  context.check();
  if (!connection) co_return Outcome::kRefused;
  bool held = false;
  {
    Holder holder(reactor, *connection);
    held = co_await holder.until(context, Clock::now() + limits.hold);
  }
  if (!held) co_return Outcome::kLost;
  RequestContext goodbye = RequestContext::within(kLogoutLimit);
  co_await connection->logout(goodbye);
  co_return Outcome::kHeld;
}

Task<void> pause(RequestContext& context, Reactor& reactor, std::chrono::milliseconds length) {
  WakeUp nobody(reactor);
  const Clock::time_point end = Clock::now() + length;
  while (Clock::now() < end) {
    co_await nobody.until(context, end);
    context.check();
  }
}

}  // namespace

Task<NameTrial> try_name(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         LoginRequest request, TrialLimits limits) {
  // The same one for all logins: with a new one each time nobody would be met twice.
  if (!request.connection.isid) request.connection.isid = Isid::random();
  NameTrial trial;
  Outcome outcome = Outcome::kLost;
  while (outcome == Outcome::kLost && trial.losses < kMaxLosses) {
    if (trial.losses > 0) co_await pause(context, reactor, limits.pause);
    outcome = co_await hold_once(context, reactor, pool, request, limits, trial.refusal);
    if (outcome == Outcome::kLost) ++trial.losses;
  }
  if (trial.losses >= kLossesOfATwin) {
    trial.verdict = NameTrial::Verdict::kThrownOut;
    request.connection.isid = Isid::random();
    outcome = co_await hold_once(context, reactor, pool, request, limits, trial.refusal);
    trial.held_with_own_isid = outcome == Outcome::kHeld;
  } else if (outcome == Outcome::kRefused) {
    trial.verdict = NameTrial::Verdict::kRefused;
  } else if (trial.losses > 0) {
    trial.verdict = NameTrial::Verdict::kLostOnce;
  }
  co_return trial;
}

}  // namespace lunfs::iscsi
