#include "iscsi/socket_buffer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/iovecs.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kAheadBytes = 64U << 10U;
/// Beside long payloads, which go to their place without a copy: the next headers.
constexpr std::size_t kAheadOfLongBytes = 4U << 10U;
constexpr std::size_t kLongBytes = 16U << 10U;
constexpr std::size_t kUnsentBytes = 256U << 10U;
/// Of one system call, with room for the buffer's own part. Source: IOV_MAX of Linux.
constexpr std::size_t kMaxParts = 1000;

std::span<std::byte> bytes_of(const iovec& part) noexcept {
  return {static_cast<std::byte*>(part.iov_base), part.iov_len};
}

/// As writev(2), but a peer that is gone raises no signal.
ssize_t send_parts(int fd, std::vector<iovec>& parts) noexcept {
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

void SocketBuffer::begin() {
  begun_ = true;
  received_.resize(kAheadBytes);
  unsent_.reserve(kUnsentBytes);
  parts_.reserve(kMaxParts + 1);
}

bool SocketBuffer::flush(int fd) noexcept {
  while (!unsent_.empty()) {
    const ssize_t sent = ::sendto(fd, unsent_.data(), unsent_.size(), MSG_NOSIGNAL, nullptr, 0);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
  }
  return true;
}

ssize_t SocketBuffer::send(int fd, std::span<const iovec> parts) noexcept {
  const std::size_t size = size_of(parts);
  if (!begun_ || size > kLongBytes) return send_behind_unsent(fd, parts);
  if (unsent_.size() + size > kUnsentBytes) {
    if (!flush(fd)) return -1;
    if (unsent_.size() + size > kUnsentBytes) {
      errno = EAGAIN;
      return -1;
    }
  }
  for (const iovec& part : parts) {
    const std::span<const std::byte> bytes = bytes_of(part);
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
  }
  return static_cast<ssize_t>(size);
}

ssize_t SocketBuffer::send_behind_unsent(int fd, std::span<const iovec> parts) noexcept {
  parts_.clear();
  if (!unsent_.empty()) parts_.push_back({unsent_.data(), unsent_.size()});
  parts = parts.first(std::min(parts.size(), kMaxParts));
  parts_.insert(parts_.end(), parts.begin(), parts.end());
  const ssize_t sent = send_parts(fd, parts_);
  if (sent < 0) return -1;
  const std::size_t old = std::min(unsent_.size(), static_cast<std::size_t>(sent));
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(old));
  const ssize_t sent_of_parts = sent - static_cast<ssize_t>(old);
  if (sent_of_parts == 0) {
    errno = EAGAIN;
    return -1;
  }
  return sent_of_parts;
}

ssize_t SocketBuffer::receive(int fd, std::span<const iovec> parts) noexcept {
  const std::size_t taken = take(parts);
  std::size_t done = taken;
  if (taken < size_of(parts)) {
    if (dry_) {
      errno = EAGAIN;
      if (taken == 0) return -1;
    } else {
      const ssize_t filled = fill(fd, parts, taken);
      // The end or a fault of the stream is told when nothing else is left to tell.
      if (filled <= 0 && taken == 0) return filled;
      done += static_cast<std::size_t>(std::max<ssize_t>(filled, 0));
    }
  }
  std::size_t left = done;
  for (const iovec& part : parts) {
    const std::size_t size = std::min(part.iov_len, left);
    tap_.received(bytes_of(part).first(size));
    left -= size;
  }
  return static_cast<ssize_t>(done);
}

/// Copies what is there already.
std::size_t SocketBuffer::take(std::span<const iovec> parts) noexcept {
  std::size_t taken = 0;
  for (const iovec& part : parts) {
    const std::size_t size = std::min(part.iov_len, received_end_ - received_begin_);
    if (size == 0) break;
    std::memcpy(part.iov_base, received_.data() + received_begin_, size);
    received_begin_ += size;
    taken += size;
  }
  return taken;
}

/// Reads into `parts` without their first `skip` bytes, and ahead; received_ is empty.
ssize_t SocketBuffer::fill(int fd, std::span<const iovec> parts, std::size_t skip) noexcept {
  parts_.clear();
  for (const iovec& part : parts.first(std::min(parts.size(), kMaxParts))) {
    const std::size_t skipped = std::min(skip, part.iov_len);
    skip -= skipped;
    if (skipped == part.iov_len) continue;
    parts_.push_back({static_cast<std::byte*>(part.iov_base) + skipped, part.iov_len - skipped});
  }
  const std::size_t wanted = size_of(parts_);
  std::size_t ahead = 0;
  if (begun_) ahead = tap_.payload_bytes() >= kLongBytes ? kAheadOfLongBytes : kAheadBytes;
  if (ahead != 0) parts_.push_back({received_.data(), ahead});

  msghdr message{};
  message.msg_iov = parts_.data();
  message.msg_iovlen = parts_.size();
  const ssize_t got = recvmsg(fd, &message, 0);
  if (got <= 0) return got;
  const auto size = static_cast<std::size_t>(got);
  taken_from_socket_ += size;
  dry_ = size < wanted + ahead;
  received_begin_ = 0;
  received_end_ = size - std::min(size, wanted);
  return static_cast<ssize_t>(std::min(size, wanted));
}

}  // namespace lunfs::iscsi
