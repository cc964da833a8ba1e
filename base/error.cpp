#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace lunfs {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kOutOfRange:
      return "out_of_range";
    case ErrorKind::kNoSpace:
      return "no_space";
    case ErrorKind::kBusy:
      return "busy";
    case ErrorKind::kUnreachable:
      return "unreachable";
    case ErrorKind::kTimedOut:
      return "timed_out";
    case ErrorKind::kOutcomeUnknown:
      return "outcome_unknown";
    case ErrorKind::kAuth:
      return "auth";
    case ErrorKind::kReserved:
      return "reserved";
    case ErrorKind::kReadOnly:
      return "read_only";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kPermission:
      return "permission";
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

Error& Error::add_context(std::string_view context) & {
  message_ = fmt::format("{}: {}", context, message_);
  return *this;
}

Error& Error::set_cause(std::string cause) & {
  if (cause_.empty()) cause_ = std::move(cause);
  return *this;
}

Error& Error::set_remedy(std::string remedy) & {
  if (remedy_.empty()) remedy_ = std::move(remedy);
  return *this;
}

Error&& Error::because(std::string cause) && { return std::move(set_cause(std::move(cause))); }

Error&& Error::advise(std::string remedy) && { return std::move(set_remedy(std::move(remedy))); }

namespace {

ErrorKind kind_of_errno(int errno_value) noexcept {
  switch (errno_value) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return ErrorKind::kNotFound;
    case EACCES:
    case EPERM:
      return ErrorKind::kPermission;
    case EROFS:
      return ErrorKind::kReadOnly;
    case EBUSY:
    case EAGAIN:
      return ErrorKind::kBusy;
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::kNoSpace;
    case ETIMEDOUT:
      return ErrorKind::kTimedOut;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNRESET:
    case EPIPE:
      return ErrorKind::kUnreachable;
    case EOPNOTSUPP:
    case ENOSYS:
      return ErrorKind::kUnsupported;
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
      return ErrorKind::kUsage;
    default:
      return ErrorKind::kIo;
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view what) {
  return {kind_of_errno(errno_value),
          fmt::format("{}: {}", what, std::generic_category().message(errno_value))};
}

std::string three_part_text(const Error& error) {
  std::string text = error.message();
  if (!error.cause().empty()) text += fmt::format("\n  likely cause: {}", error.cause());
  if (!error.remedy().empty()) text += fmt::format("\n  what to do: {}", error.remedy());
  return text;
}

}  // namespace lunfs
