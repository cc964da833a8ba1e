#pragma once

#include <atomic>
#include <string>
#include <utility>

namespace lunfs::iscsi {

/// What a LUN has said by a deferred error (SPC-4 4.5.7): a command that it had acknowledged has
/// failed. It stands in the answer to any later command of any session, whoever sent that one.
/// Stays. The reactor's thread only, but for any().
class LateFailure {
 public:
  void note(std::string text) {
    text_ = std::move(text);
    any_ = true;
  }
  /// The last one's sense; empty if there was none.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Any thread.
  [[nodiscard]] bool any() const noexcept { return any_.load(); }

 private:
  std::string text_;
  std::atomic<bool> any_ = false;
};

}  // namespace lunfs::iscsi
