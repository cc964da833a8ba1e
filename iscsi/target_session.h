#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/file_device.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/connection.h"
#include "iscsi/open_lun.h"
#include "iscsi/retry_policy.h"

namespace lunfs::iscsi {

class Session;

/// One session with a target, on which its LUNs are found and opened; it is not restored when it is
/// lost. Belongs to the reactor's thread. The session lives as long as this or a LUN that was
/// opened on it.
class TargetSession {
 public:
  /// Takes a connection that is logged in to a target.
  /// @param command_timeout  a command unanswered for so long ends the session
  TargetSession(std::unique_ptr<Connection> connection, std::chrono::milliseconds command_timeout,
                const RetryLimits& retries);

  /// The numbers of the LUNs that the target shows us, sorted; empty if it does not tell.
  /// Errors: command_error()'s, Session::execute()'s.
  Task<std::vector<std::uint16_t>> luns(RequestContext& context);

  /// Asks what the LUN is (probe_lun()) and opens it. With Access::kReadOnly no command that
  /// changes it can be sent. Errors: probe_lun()'s.
  Task<std::unique_ptr<LunDevice>> open(RequestContext& context, std::uint16_t lun, Access access);

  /// Ends the session politely, as LunDevice::logout().
  Task<void> logout(RequestContext& context);

  [[nodiscard]] Connection& connection() noexcept;

 private:
  std::shared_ptr<Session> session_;  ///< shared because LUNs may outlive this
  RetryLimits retries_;
};

}  // namespace lunfs::iscsi
