#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <span>

namespace lunfs::iscsi {

/// The system calls by which libiscsi moves bytes, in other hands.
///
/// libiscsi has no place to hang these in, so the program defines send(), writev(), recv() and
/// readv() itself, ahead of libc's. While a Scope lives they go to its object on this thread, else
/// straight to libc's. Where the definitions are not reached, libiscsi does as it always did.
class SocketCalls {
 public:
  virtual ~SocketCalls() = default;

  /// As writev(2) on a socket, errno included.
  virtual ssize_t send(int fd, std::span<const iovec> parts) noexcept = 0;
  /// As readv(2) on a socket, errno included.
  virtual ssize_t receive(int fd, std::span<const iovec> parts) noexcept = 0;

  /// While it lives, this thread's calls go to `calls`, which outlives it. One at a time.
  class Scope {
   public:
    explicit Scope(SocketCalls& calls) noexcept;
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();
  };
};

}  // namespace lunfs::iscsi
