#pragma once

#include <string>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/scsi_command.h"

namespace lunfs::iscsi {

/// Where SCSI commands to one LUN go in: a session, or what keeps one alive.
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
  /// host:port that it runs to
  [[nodiscard]] virtual std::string portal_text() const = 0;
  [[nodiscard]] virtual Reactor& reactor() noexcept = 0;
};

}  // namespace lunfs::iscsi
