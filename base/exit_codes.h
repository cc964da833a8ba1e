#pragma once

#include "base/error.h"

namespace lunfs {

/// What the programs end with. Where iscsiadm(8) names the cause, the number is iscsiadm's, so that
/// scripts that know it are right; everything else is kExitFailure. Pages: docs/man.
enum ExitCode : int {
  kExitSuccess = 0,
  kExitFailure = 1,
  kExitUnreachable = 4,           ///< ISCSI_ERR_TRANS
  kExitUsage = 7,                 ///< ISCSI_ERR_INVAL
  kExitTimedOut = 8,              ///< ISCSI_ERR_TRANS_TIMEOUT
  kExitPermission = 13,           ///< ISCSI_ERR_ACCESS
  kExitSessionExists = 15,        ///< ISCSI_ERR_SESS_EXISTS
  kExitNothingFound = 21,         ///< ISCSI_ERR_NO_OBJS_FOUND
  kExitAuthorizationFailed = 24,  ///< ISCSI_ERR_LOGIN_AUTH_FAILED
  kExitUnsupported = 27,          ///< ISCSI_ERR_OP_NOT_SUPP
  kExitBusy = 28,                 ///< ISCSI_ERR_BUSY
};

/// The exit code of a program that ends with an error of this kind.
[[nodiscard]] ExitCode exit_code(ErrorKind kind) noexcept;

}  // namespace lunfs
