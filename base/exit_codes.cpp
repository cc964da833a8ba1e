#include "base/exit_codes.h"

namespace lunfs {

ExitCode exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kUsage:
      return kExitUsage;
    case ErrorKind::kTimedOut:
      return kExitTimedOut;
    case ErrorKind::kNotFound:
      return kExitNothingFound;
    case ErrorKind::kAuth:
      return kExitAuthorizationFailed;
    case ErrorKind::kUnreachable:
      return kExitUnreachable;
    case ErrorKind::kPermission:
      return kExitPermission;
    case ErrorKind::kUnsupported:
      return kExitUnsupported;
    case ErrorKind::kBusy:
    case ErrorKind::kReserved:
      return kExitBusy;
    case ErrorKind::kCorrupt:
    case ErrorKind::kOutOfRange:
    case ErrorKind::kNoSpace:
    case ErrorKind::kOutcomeUnknown:
    case ErrorKind::kReadOnly:
    case ErrorKind::kCancelled:
    case ErrorKind::kIo:
    case ErrorKind::kInternal:
      return kExitFailure;
  }
  return kExitFailure;
}

}  // namespace lunfs
