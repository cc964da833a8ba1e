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
#include "base/wake_up.h"
#include "iscsi/credentials.h"
#include "iscsi/iqn.h"
#include "iscsi/isid.h"
#include "iscsi/lun_url.h"
#include "iscsi/receive_moderation.h"
#include "iscsi/receive_tap.h"
#include "iscsi/socket_buffer.h"

struct iscsi_context;

namespace lunfs::iscsi {

class LoginGuard;

struct ConnectionOptions {
  std::string initiator_name;
  std::optional<Iqn> target;  ///< none: a discovery session
  Chap chap;
  std::string initiator_alias{};  ///< shown by some targets beside the name; may be empty
  std::optional<Isid> isid{};     ///< none: a random one
  /// After how long a silence a NOP-Out asks whether the target is there; whole seconds.
  std::chrono::seconds keep_alive{5};
  /// After how long a silence the connection ends, if a ping is unanswered; 0: four times
  /// keep_alive, after three of them.
  std::chrono::seconds silence_limit{0};
};

/// How the target answered a login that ran by the rules.
struct LoginAnswer {
  enum class Kind {
    kAccepted,
    kRefused,     ///< see `status`
    kMoved,       ///< to `address`
    kWrongProof,  ///< mutual CHAP: the target's name or response is not the expected one
  };
  Kind kind = Kind::kAccepted;
  std::uint16_t status = 0;  ///< Status-Class << 8 | Status-Detail
  std::string address;       ///< host[:port] from the target, unchecked
};

/// What one discovery session tells of a target.
struct DiscoveredTarget {
  std::string name;                  ///< as the target sent it, control characters cut
  std::vector<std::string> portals;  ///< host:port,tag
};

/// One libiscsi context and its TCP connection, driven by the reactor.
///
/// libiscsi's callbacks run inside iscsi_service() and only store; whoever waits is resumed later
/// in the turn, so the context is never destroyed from inside itself. What is queued during a turn
/// is sent together at its end. libiscsi's own reconnect and timeouts stay off: the connection ends
/// once, by end(), and with it the context, after which nothing touches a caller's buffer.
///
/// Belongs to the reactor's thread. Nobody may wait in it when it is destroyed.
class Connection {
 public:
  /// Who has commands in the context. Called outside libiscsi; must not throw.
  class User {
   public:
    virtual ~User() = default;
    /// Callbacks may have run.
    virtual void on_progress() noexcept = 0;
    /// What it waits for from the target.
    [[nodiscard]] virtual Outstanding outstanding() const noexcept { return {}; }
    /// Once a second.
    virtual void on_tick() noexcept = 0;
    /// The context is gone; failure() says why.
    virtual void on_end() noexcept = 0;
  };

  /// `reactor` outlives this. kInternal if libiscsi gives no context.
  Connection(Reactor& reactor, ConnectionOptions options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Opens the TCP connection to a numeric address. Once. kUnreachable, kTimedOut, kCancelled.
  Task<void> connect(RequestContext& context, const PortalAddress& address);
  /// After connect(), once. Errors: kAuth (the target did not prove itself), kUnreachable (closed,
  /// not an iSCSI target), kTimedOut, kCancelled; after one of them the connection must be
  /// destroyed.
  Task<LoginAnswer> login(RequestContext& context);
  /// SendTargets; in a discovery session. At most 1000 targets.
  Task<std::vector<DiscoveredTarget>> send_targets(RequestContext& context);
  /// Waits for the target's goodbye until the context's deadline, then ends. Never throws.
  Task<void> logout(RequestContext& context);

  /// Drops the connection for `reason`; the first one counts. Not from inside a libiscsi callback.
  void end(Error reason);
  [[nodiscard]] bool ended() const noexcept { return failure_.has_value(); }
  /// Why it ended; only if it has.
  [[nodiscard]] const Error& failure() const { return *failure_; }
  /// It was logged in, and the other end closed it or logged it out; false if this side gave it up.
  [[nodiscard]] bool closed_by_target() const noexcept { return closed_by_target_; }

  /// `user` outlives this; null for none.
  void set_user(User* user) noexcept { user_ = user; }
  /// For commands; null once ended.
  [[nodiscard]] iscsi_context* context() const noexcept { return context_; }
  /// Something was put into the context's queue: it is sent at the end of this turn.
  void queued() noexcept { dirty_ = true; }
  /// From a command's callback: it was given up, so the connection must end.
  void note_broken() noexcept { broken_ = true; }
  /// True if libiscsi still has something to send.
  [[nodiscard]] bool sending() const noexcept;

  /// Counts the data of commands; see ReceiveTap.
  [[nodiscard]] ReceiveTap& tap() noexcept { return tap_; }

  [[nodiscard]] Reactor& reactor() const noexcept { return reactor_; }
  /// What it was made with, but for the secrets, which are gone once a login has ended.
  [[nodiscard]] const ConnectionOptions& options() const noexcept { return options_; }
  /// The portal group that the session came in at; none: the target did not tell, or no login yet.
  [[nodiscard]] std::optional<std::uint16_t> portal_group() const noexcept { return portal_group_; }
  /// The numeric address that it runs to.
  [[nodiscard]] const PortalAddress& address() const noexcept { return address_; }

 private:
  enum class Phase { kIdle, kConnecting, kLoggingIn, kReady, kLeaving };
  struct Callbacks;

  Task<void> wait_for(RequestContext& context, const bool& done);
  void handle(std::uint32_t events);
  void handle_connecting(std::uint32_t events);
  void receive_login(std::uint32_t events);
  void service(int poll_events);
  bool run_libiscsi(int poll_events);
  [[nodiscard]] bool wants_write() const noexcept;
  void end_of_turn();
  void tick();
  void keep_alive();
  void watch_for_events();
  void moderate();
  void look_at_moderated();
  void forget_secrets() noexcept;

  Reactor& reactor_;
  ConnectionOptions options_;
  PortalAddress address_;
  iscsi_context* context_ = nullptr;  ///< owned
  User* user_ = nullptr;
  Phase phase_ = Phase::kIdle;
  std::optional<Error> failure_;
  bool dirty_ = false;
  bool closed_by_target_ = false;
  bool broken_ = false;
  std::unique_ptr<LoginGuard> guard_;  ///< while logging in
  ReceiveTap tap_;
  SocketBuffer buffer_{tap_};
  ReceiveModeration moderation_;
  bool moderated_ = false;               ///< the socket may hold back what has come
  Reactor::Clock::time_point received_;  ///< when it was last looked at

  WakeUp changed_;
  bool connected_ = false;
  bool answered_ = false;  ///< login, discovery or logout, whichever runs
  int answer_status_ = 0;  ///< of libiscsi
  std::vector<DiscoveredTarget> targets_;
  std::optional<std::uint16_t> portal_group_;

  std::uint64_t heard_bytes_ = 0;       ///< what had been received when it was last looked
  std::chrono::seconds silent_for_{0};  ///< how many ticks ago that was

  Reactor::Watch watch_;
  Reactor::Hook turn_end_;
  Reactor::Timer timer_;
  std::optional<Reactor::Timer> look_;  ///< runs while moderated_, and to its end after
};

/// Ends a connection when a context's deadline passes or its caller gives up, so that what is in
/// flight comes back; for login and logout, where nothing is left to be saved.
class EndAtDeadline {
 public:
  /// `connection` outlives this; `what` stands in the error ("no answer ... within the deadline").
  EndAtDeadline(Connection& connection, RequestContext& context, std::string what);

 private:
  Reactor::Timer timer_;
  Cancellation::Registration registration_;
};

}  // namespace lunfs::iscsi
