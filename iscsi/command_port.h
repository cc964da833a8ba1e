#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/late_failure.h"
#include "iscsi/lun_features.h"
#include "iscsi/paths.h"
#include "iscsi/scsi_command.h"
#include "iscsi/session_facts.h"

namespace lunfs::iscsi {

/// Where SCSI commands go in: a session, or what keeps one alive.
class CommandPort {
 public:
  CommandPort() = default;
  CommandPort(const CommandPort&) = delete;
  CommandPort& operator=(const CommandPort&) = delete;
  virtual ~CommandPort() = default;

  /// Returns the target's answer, whatever it is. Buffers are not touched any more once it ended.
  virtual Task<CommandResult> execute(RequestContext& context, const ScsiCommand& command) = 0;
  /// A command is sent again because of the target's answer.
  virtual void count_retry() noexcept = 0;

  /// Told by whoever sends commands here; one for all sessions of a port that replaces its session.
  [[nodiscard]] const std::shared_ptr<LateFailure>& late_failure() const noexcept {
    return late_failure_;
  }
  void share_late_failure(const CommandPort& other) { late_failure_ = other.late_failure_; }

  /// With the number of the LUN that commands go to which name none.
  [[nodiscard]] virtual SessionNames names() const = 0;
  [[nodiscard]] virtual SessionState state() const = 0;
  [[nodiscard]] virtual SessionStats stats() const noexcept = 0;
  /// The ways to the target, where several are kept in view.
  [[nodiscard]] virtual std::vector<PathReport> paths() const { return {}; }
  /// host:port that it runs to
  [[nodiscard]] std::string portal_text() const { return names().portal; }
  [[nodiscard]] virtual Reactor& reactor() noexcept = 0;

  /// See LunDevice::logout().
  virtual Task<void> logout(RequestContext& context) = 0;

  // For a port that replaces its session, which is one LUN's alone; others have nothing to ask and
  // nothing to tell.

  /// Asked before anything is sent over a new session.
  virtual void set_guard(ResumeGuard /*guard*/) {}
  enum class Looked {
    kNewSession,   ///< a lost session was replaced
    kSameSession,  ///< the target said that its LUNs had changed
  };
  using OnLooked = std::function<void(const LunFeatures&, Looked)>;
  /// Told each time when the LUN was looked at anew, before anything else is sent. Must not throw.
  virtual void set_on_looked(OnLooked /*callback*/) {}
  /// What the LUN has acknowledged and may have lost.
  struct Unsaved {
    /// Whether there is any that write_again() could make good. Must not throw.
    std::function<bool()> any;
    /// Called when the right LUN is there over a new session, which the port leads to: nothing else
    /// is sent before it has ended. Its Errors end that session, another one is tried then.
    std::function<Task<void>(RequestContext&, CommandPort&, const LunFeatures&)> write_again;
    /// Called when some of it may be lost all the same: the LUN is reset after each login, or what
    /// an earlier write_again() has left unanswered may still be carried out, over newer writes.
    /// Must not throw.
    std::function<void()> count_loss;
  };
  virtual void set_unsaved(Unsaved /*unsaved*/) {}
  /// The LUN is let go of: no guard and no callback is called any more, nothing is restored.
  virtual void close() noexcept {}

 private:
  std::shared_ptr<LateFailure> late_failure_ = std::make_shared<LateFailure>();
};

}  // namespace lunfs::iscsi
