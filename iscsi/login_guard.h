#pragma once

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/bytes.h"
#include "base/error.h"
#include "iscsi/credentials.h"
#include "iscsi/login_inspector.h"

namespace lunfs::iscsi {

/// Stands between socket and libiscsi during a login: looks at each response before libiscsi takes
/// it. The reactor's thread only.
class LoginGuard {
 public:
  explicit LoginGuard(const Chap& chap) : inspector_(chap.offered(), chap.mutual()) {}

  /// kPassed: a whole response is there and breaks no rule; kClosed: the target has hung up.
  enum class Peek { kIncomplete, kClosed, kPassed };

  /// Looks at the next response without taking it. Errors as LoginInspector::check(); kUnreachable
  /// if the socket fails or more came than was asked for.
  Peek peek(int fd) {
    const ssize_t count = recv(fd, buffer_.data(), buffer_.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count == 0) return Peek::kClosed;
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return Peek::kIncomplete;
      throw Error(ErrorKind::kUnreachable,
                  system_error(errno, "reading from the target").message());
    }
    const ConstByteSpan found(buffer_.data(), static_cast<std::size_t>(count));
    const auto size = LoginInspector::pdu_bytes(found);
    if (!size || *size > found.size()) return Peek::kIncomplete;
    inspector_.check(found.first(*size));
    // The login is question and answer; libiscsi must not meet an answer that was not looked at.
    if (!inspector_.finished() && found.size() > *size) {
      throw Error(ErrorKind::kUnreachable,
                  "the login answer breaks the protocol: more came than was asked for");
    }
    return Peek::kPassed;
  }

  [[nodiscard]] const LoginInspector& inspector() const noexcept { return inspector_; }

 private:
  LoginInspector inspector_;
  std::array<std::byte, LoginInspector::kMaxPduBytes> buffer_{};
};

}  // namespace lunfs::iscsi
