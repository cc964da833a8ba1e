#pragma once

#include <chrono>
#include <cstdint>

namespace lunfs::log {

/// Bounds how often one and the same thing is said: the first kMost times in kSpan, then not before
/// the span is over, with the number that was left out. One thread at a time.
class Rate {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr unsigned kMost = 10;
  static constexpr std::chrono::seconds kSpan{10};

  struct Verdict {
    bool say = false;
    std::uint64_t unsaid = 0;  ///< how often it happened without a word before this
  };

  /// It happens.
  Verdict next(Clock::time_point now = Clock::now()) noexcept {
    if (said_ == 0 || now - begun_ >= kSpan) {
      begun_ = now;
      said_ = 0;
    }
    if (said_ == kMost) {
      ++unsaid_;
      return {};
    }
    ++said_;
    const std::uint64_t before = unsaid_;
    unsaid_ = 0;
    return {.say = true, .unsaid = before};
  }

 private:
  Clock::time_point begun_{};
  unsigned said_ = 0;         ///< since then
  std::uint64_t unsaid_ = 0;  ///< since the last word
};

}  // namespace lunfs::log
