#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "iscsi/receive_tap.h"
#include "iscsi/socket_calls.h"

namespace lunfs::iscsi {

/// Makes few system calls of libiscsi's many.
///
/// libiscsi 1.19 sends and receives the header and the data of every PDU by a call of its own, and
/// asks once more to hear that nothing is left. Here headers and short payloads wait for flush()
/// and go together, long ones take along what waits; and a read takes what the socket has beyond
/// what was asked for. Bytes that wait are copies, so nothing refers to a caller's buffer. What
/// libiscsi receives runs past the tap. docs/performance.md. Belongs to the reactor's thread.
class SocketBuffer final : public SocketCalls {
 public:
  /// `tap` outlives this.
  explicit SocketBuffer(ReceiveTap& tap) : tap_(tap) {}

  /// Until this is called every call goes straight through, so that a login can be looked at.
  void begin();

  /// Before libiscsi is called: the socket may have something again.
  void look_again() noexcept { dry_ = false; }
  /// Bytes were taken from the socket and not yet by libiscsi, which must be called again: nobody
  /// else tells of them.
  [[nodiscard]] std::size_t received_bytes() const noexcept {
    return received_end_ - received_begin_;
  }
  /// Bytes ever received; since begin().
  [[nodiscard]] std::uint64_t taken_from_socket() const noexcept { return taken_from_socket_; }
  /// Bytes that libiscsi takes for sent wait for the socket to be writable.
  [[nodiscard]] bool has_unsent() const noexcept { return !unsent_.empty(); }
  /// Sends what waits, as much as the socket takes. False if the connection is broken.
  bool flush(int fd) noexcept;

  ssize_t send(int fd, std::span<const iovec> parts) noexcept override;
  ssize_t receive(int fd, std::span<const iovec> parts) noexcept override;

 private:
  std::size_t take(std::span<const iovec> parts) noexcept;
  ssize_t fill(int fd, std::span<const iovec> parts, std::size_t skip) noexcept;
  ssize_t send_behind_unsent(int fd, std::span<const iovec> parts) noexcept;

  ReceiveTap& tap_;
  bool begun_ = false;
  bool dry_ = false;                 ///< the socket had less than it was asked for
  std::vector<iovec> parts_;         ///< of the system call being made
  std::vector<std::byte> received_;  ///< [begin, end) is libiscsi's to take
  std::size_t received_begin_ = 0;
  std::size_t received_end_ = 0;
  std::uint64_t taken_from_socket_ = 0;
  std::vector<std::byte> unsent_;
};

}  // namespace lunfs::iscsi
