#include "iscsi/receive_moderation.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>

namespace lunfs::iscsi {

std::size_t ReceiveModeration::wake_bytes(const Outstanding& outstanding) noexcept {
  const bool many = outstanding.commands >= kManyCommands;
  const bool are_long = outstanding.answer_bytes > outstanding.commands * kLongAnswerBytes;
  if (!many || are_long) return 1;
  // A power of two, so that it seldom changes: each change is a system call.
  const std::size_t half = std::bit_floor(outstanding.answer_bytes / 2);
  return std::clamp<std::size_t>(half, 1, kMaxWakeBytes);
}

bool ReceiveModeration::apply(int fd, const Outstanding& outstanding) noexcept {
  const std::size_t wanted = wake_bytes(outstanding);
  if (wanted != applied_) {
    const int value = static_cast<int>(wanted);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) == 0) applied_ = wanted;
  }
  return applied_ > 1;
}

}  // namespace lunfs::iscsi
