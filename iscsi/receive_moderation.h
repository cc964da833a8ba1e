#pragma once

#include <chrono>
#include <cstddef>

namespace lunfs::iscsi {

/// What the target still has to answer.
struct Outstanding {
  std::size_t commands = 0;
  std::size_t answer_bytes = 0;  ///< of all of them: headers and the data of reads
};

/// Lets the kernel wake the loop for several answers at once.
///
/// A target answers commands one by one, and with many in flight the loop would wake for each: to
/// wake, to receive and to send again cost more than the 4 KiB that came. So the socket counts as
/// readable only when a quarter to half of what is outstanding has come, at most kMaxWakeBytes, or
/// kLongest after the last look; that much is on its way, so the wait is short as against the time
/// that a command takes. With few commands in flight, or answers that are long on average, nothing
/// waits. docs/performance.md. Belongs to the reactor's thread.
class ReceiveModeration {
 public:
  static constexpr std::chrono::microseconds kLongest{200};
  static constexpr std::size_t kManyCommands = 8;
  static constexpr std::size_t kMaxWakeBytes = 256U << 10U;
  static constexpr std::size_t kLongAnswerBytes = (64U << 10U) + 48;  ///< header too; more is long

  /// How many bytes must have come before the loop is woken; at least 1.
  static std::size_t wake_bytes(const Outstanding& outstanding) noexcept;

  /// Tells the socket. True if it may now hold bytes back, so that somebody must look after
  /// kLongest: fewer may come, as where commands are refused.
  bool apply(int fd, const Outstanding& outstanding) noexcept;

 private:
  std::size_t applied_ = 1;
};

}  // namespace lunfs::iscsi
