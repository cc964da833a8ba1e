#include "fs/errno_map.h"

#include <cerrno>

namespace lunfs::fs {

int errno_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kUnsupported:
      return EOPNOTSUPP;
    case ErrorKind::kNoSpace:
      return ENOSPC;
    case ErrorKind::kBusy:
    case ErrorKind::kReserved:
      return EBUSY;
    case ErrorKind::kReadOnly:
      return EROFS;
    case ErrorKind::kNotFound:
      return ENOENT;
    case ErrorKind::kPermission:
      return EACCES;
    case ErrorKind::kUsage:
      return EINVAL;
    case ErrorKind::kCancelled:
      return EINTR;
    case ErrorKind::kCorrupt:
    case ErrorKind::kOutOfRange:
    case ErrorKind::kUnreachable:
    case ErrorKind::kTimedOut:
    case ErrorKind::kOutcomeUnknown:
    case ErrorKind::kAuth:
    case ErrorKind::kIo:
    case ErrorKind::kInternal:
      return EIO;
  }
  return EIO;
}

int errno_of_io(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kNotFound:
    case ErrorKind::kUnsupported:
    case ErrorKind::kUsage:
    case ErrorKind::kPermission:
      return EIO;
    default:
      return errno_of(kind);
  }
}

}  // namespace lunfs::fs
