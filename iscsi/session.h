#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/request_context.h"
#include "base/task.h"
#include "base/wake_up.h"
#include "iscsi/command_port.h"
#include "iscsi/connection.h"
#include "iscsi/scsi_command.h"

namespace lunfs::iscsi {

/// SCSI commands to one LUN over a connection that is logged in.
///
/// At most kMaxInFlight commands are with libiscsi, more wait in order; who waits leaves when its
/// deadline or `send_by` passes or it is cancelled. A command that was sent runs to its end, which
/// is the target's answer or the end of the connection: one that goes unanswered for
/// command_timeout (a flush: half as long again), or past its `due`, ends it; where command_timeout
/// is more than a minute, one whose caller has given up has ten seconds, a flush a minute. Then
/// everything in flight and everything later fails at once. A command's buffers are not touched any
/// more once execute() has ended.
///
/// Belongs to the reactor's thread. No command may be in flight when it is destroyed.
class Session final : public CommandPort, private Connection::User {
 public:
  static constexpr std::size_t kMaxInFlight = 128;

  Session(std::unique_ptr<Connection> connection, std::uint16_t lun,
          std::chrono::milliseconds command_timeout);
  ~Session() override;

  /// Sends the command once and returns the target's answer, whatever it is.
  ///
  /// Errors: kOutcomeUnknown (the session is lost, and a command with data for the target was
  /// sent), kUnreachable (the same, for every other command, and past its `send_by` before it was
  /// sent), kTimedOut and kCancelled (before it was sent); what the connection was ended with.
  Task<CommandResult> execute(RequestContext& context, const ScsiCommand& command) override;

  /// Of commands from now on, and of those in flight.
  void set_command_timeout(std::chrono::milliseconds limit) noexcept { command_timeout_ = limit; }
  /// LOGICAL UNIT RESET: ends every command at the LUN, whoever sent it. For a session without a
  /// command in flight; once. Errors: kUnsupported (refused), kTimedOut (no answer within the
  /// context's deadline), kCancelled, what the connection was ended with.
  Task<void> reset_lun(RequestContext& context);

  /// `callback` is called once, when the connection ends: before anybody who waits is resumed. It
  /// must neither throw nor destroy this.
  void set_on_end(std::function<void()> callback) { ended_ = std::move(callback); }

  [[nodiscard]] Connection& connection() noexcept { return *connection_; }
  /// No command has entered that has not ended.
  [[nodiscard]] bool idle() const noexcept { return entered_ == 0; }
  /// It has ended while a command with data for the target was not answered.
  [[nodiscard]] bool left_writes() const noexcept { return left_writes_; }
  /// Whether the LUN may be another one than the session began with: for its owner to note.
  [[nodiscard]] bool in_doubt() const noexcept { return in_doubt_; }
  void set_in_doubt(bool value) noexcept { in_doubt_ = value; }
  void count_retry() noexcept override { ++stats_.retries; }
  [[nodiscard]] SessionNames names() const override;
  [[nodiscard]] SessionState state() const override;
  [[nodiscard]] SessionStats stats() const noexcept override { return stats_; }
  [[nodiscard]] Reactor& reactor() noexcept override { return connection_->reactor(); }
  Task<void> logout(RequestContext& context) override { return connection_->logout(context); }

 private:
  using Clock = RequestContext::Clock;
  struct Request;
  struct Callbacks;
  struct Answer;
  struct Waiter {
    explicit Waiter(Reactor& reactor) : admitted(reactor) {}
    WakeUp admitted;
    bool in = false;
  };
  using Requests = std::list<Request*>;

  Task<void> wait_for_place(RequestContext& context, const ScsiCommand& command);
  void leave() noexcept;
  void admit_waiting() noexcept;
  void start(Request& request);
  void finish_first(Requests& from) noexcept;
  [[nodiscard]] bool must_wait(const Request& answered) const noexcept;
  [[nodiscard]] bool full() const noexcept;

  void on_progress() noexcept override;
  [[nodiscard]] Outstanding outstanding() const noexcept override;
  void on_tick() noexcept override;
  [[nodiscard]] Clock::duration limit_of(const Request& request) const noexcept;
  void on_end() noexcept override;

  std::unique_ptr<Connection> connection_;
  std::uint16_t lun_;
  std::chrono::milliseconds command_timeout_;  ///< of a flush half as long again
  SessionStats stats_;
  std::function<void()> ended_;
  bool in_doubt_ = false;
  bool left_writes_ = false;

  struct Reset {
    explicit Reset(Reactor& reactor) : told(reactor) {}
    WakeUp told;
    bool answered = false;
    std::optional<std::uint32_t> response{};  ///< none: given up by libiscsi
  };
  std::unique_ptr<Reset> reset_;  ///< what libiscsi reports to, until the connection has ended

  std::size_t entered_ = 0;       ///< commands admitted and not ended
  std::list<Waiter*> waiting_;    ///< in order of arrival
  Requests in_flight_;            ///< oldest first
  std::size_t answer_bytes_ = 0;  ///< what the target will send for them if nothing fails
  /// libiscsi has called back, not yet finished, in this order; left over after a turn are a
  /// refused write whose data libiscsi may still be sending, and what was answered behind it.
  Requests answered_;
  Requests spare_;  ///< nodes without a request, so that one costs no allocation
};

}  // namespace lunfs::iscsi
