#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/command_port.h"
#include "iscsi/lun_features.h"
#include "iscsi/retry_policy.h"
#include "iscsi/scsi_command.h"
#include "iscsi/session_facts.h"

namespace lunfs::iscsi {

/// Whether an answer says that another LUN may stand there from now on, or none.
[[nodiscard]] bool casts_doubt(const CommandResult& result) noexcept;

/// Why the LUN that stands somewhere must not be used.
struct Refusal {
  Error error;
  bool for_good = false;  ///< else: until the right one is back
};

/// What a LUN has to be.
struct ExpectedLun {
  LunIdentity identity;  ///< its size is the least one: a LUN may grow
  std::uint16_t number = 0;
  ResumeGuard guard{};  ///< may be empty
};

/// What probe_lun() found, and whether it is the right one.
struct LunCheck {
  LunFeatures features;
  std::optional<Refusal> refusal;
  bool reset = false;  ///< the LUN has said that it was powered on or reset
};

/// Asks the LUN who it is, then the guard whether its content is the right one. Sends nothing that
/// changes it. Errors: it cannot be told now (probe_lun()'s, the guard's).
Task<LunCheck> check_lun(RequestContext& context, CommandPort& port, ExpectedLun expected,
                         const RetryLimits& retries);

}  // namespace lunfs::iscsi
