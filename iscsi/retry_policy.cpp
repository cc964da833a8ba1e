#include "iscsi/retry_policy.h"

#include <algorithm>

namespace lunfs::iscsi {

namespace {

constexpr RetryDecision kDone{RetryDecision::Step::kDone, {}};
constexpr RetryDecision kFail{RetryDecision::Step::kFail, {}};

/// NOT READY that passes by itself. The others wait for a person or a command.
bool becoming_ready(const Sense& sense) noexcept {
  return sense.is(0x04, 0x01) ||  // in process of becoming ready
         sense.is(0x04, 0x07) ||  // operation in progress
         sense.is(0x04, 0x09) ||  // self-test in progress
         sense.is(0x04, 0x0a) ||  // asymmetric access state transition
         sense.is(0x04, 0x14);    // space allocation in progress
}

}  // namespace

RetryDecision RetryPolicy::at_once(unsigned& used, unsigned limit) {
  return used++ < limit ? RetryDecision{RetryDecision::Step::kAgain, {}} : kFail;
}

RetryDecision RetryPolicy::after_pause(double jitter) {
  constexpr unsigned kMaxDoublings = 20;
  if (waits_ >= limits_.waits) return kFail;
  const auto doubled = limits_.first_pause * (1U << std::min(waits_, kMaxDoublings));
  ++waits_;
  const std::chrono::duration<double, std::milli> mean = std::min(doubled, limits_.longest_pause);
  return {RetryDecision::Step::kAgain,
          std::chrono::duration_cast<std::chrono::milliseconds>(mean * (0.5 + jitter))};
}

RetryDecision RetryPolicy::next(const CommandResult& result, Resend resend, double jitter) {
  if (result.succeeded()) return kDone;
  switch (result.status) {
    case ScsiStatus::kBusy:
    case ScsiStatus::kTaskSetFull:
      return after_pause(jitter);
    case ScsiStatus::kTaskAborted:
      return resend == Resend::kNever ? kFail : at_once(aborts_, limits_.aborts);
    case ScsiStatus::kCheckCondition:
      break;
    default:
      return kFail;
  }
  if (!result.sense || result.sense->deferred) return kFail;
  switch (result.sense->key) {
    case SenseKey::kUnitAttention:
      return at_once(unit_attentions_, limits_.unit_attentions);
    case SenseKey::kAbortedCommand:
      return resend == Resend::kNever ? kFail : at_once(aborts_, limits_.aborts);
    case SenseKey::kNotReady:
      return becoming_ready(*result.sense) ? after_pause(jitter) : kFail;
    default:
      return kFail;
  }
}

}  // namespace lunfs::iscsi
