#pragma once

#include <chrono>

#include "iscsi/scsi_command.h"

namespace lunfs::iscsi {

/// How often and how patiently a refused command is sent again.
struct RetryLimits {
  unsigned unit_attentions = 10;  ///< sent again at once
  unsigned aborts = 3;            ///< ABORTED COMMAND; sent again at once
  unsigned waits = 20;            ///< BUSY, TASK SET FULL, becoming ready; sent again after a pause
  std::chrono::milliseconds first_pause{10};  ///< doubles with every wait, give or take a half
  std::chrono::milliseconds longest_pause{2000};
};

/// What to do about a command's answer.
struct RetryDecision {
  enum class Step {
    kDone,   ///< it succeeded
    kAgain,  ///< send it again after `pause`
    kFail,   ///< the answer is final
  };
  Step step = Step::kDone;
  std::chrono::milliseconds pause{0};

  bool operator==(const RetryDecision&) const = default;
};

/// Decides, answer after answer, whether one command is sent again. Pure: no clock, no I/O; whoever
/// uses it keeps to the request's deadline.
///
/// A command is only sent again when the target said that it did not execute it, so a write with
/// Resend::kNever may be; ABORTED COMMAND and TASK ABORTED say less, and end such a write.
class RetryPolicy {
 public:
  explicit RetryPolicy(const RetryLimits& limits) : limits_(limits) {}

  /// @param jitter  random, 0 to 1; spreads initiators that were refused at the same moment.
  RetryDecision next(const CommandResult& result, Resend resend, double jitter);

 private:
  RetryDecision at_once(unsigned& used, unsigned limit);
  RetryDecision after_pause(double jitter);

  RetryLimits limits_;
  unsigned unit_attentions_ = 0;
  unsigned aborts_ = 0;
  unsigned waits_ = 0;
};

}  // namespace lunfs::iscsi
