#include "iscsi/target_session.h"

#include <utility>

#include "iscsi/command_runner.h"
#include "iscsi/lun_probe.h"
#include "iscsi/opened_lun.h"
#include "iscsi/session.h"

namespace lunfs::iscsi {

TargetSession::TargetSession(std::unique_ptr<Connection> connection,
                             std::chrono::milliseconds command_timeout, const RetryLimits& retries)
    : session_(std::make_shared<Session>(std::move(connection), 0, command_timeout)),
      retries_(retries) {}

Task<std::vector<std::uint16_t>> TargetSession::luns(RequestContext& context) {
  CommandRunner runner(*session_, retries_);
  co_return co_await report_luns(context, runner);
}

Task<std::unique_ptr<LunDevice>> TargetSession::open(RequestContext& context, std::uint16_t lun,
                                                     Access access) {
  LunFeatures features;
  {
    // One of its own: what the first UNIT ATTENTION of a session says is known from the answers.
    CommandRunner runner(*session_, retries_, lun);
    features = co_await probe_lun(context, runner, lun);
  }
  co_return std::make_unique<OpenedLun>(session_, lun, std::move(features),
                                        OpenedLun::Manners{access, retries_, nullptr});
}

Task<void> TargetSession::logout(RequestContext& context) { co_await session_->logout(context); }

Connection& TargetSession::connection() noexcept { return session_->connection(); }

}  // namespace lunfs::iscsi
