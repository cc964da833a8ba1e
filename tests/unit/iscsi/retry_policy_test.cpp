#include "iscsi/retry_policy.h"

#include <gtest/gtest.h>

namespace lunfs::iscsi {
namespace {

using Step = RetryDecision::Step;
using std::chrono::milliseconds;

constexpr double kNoJitter = 0.5;

CommandResult with_sense(SenseKey key, std::uint8_t asc = 0, std::uint8_t ascq = 0,
                         bool deferred = false) {
  return {.status = ScsiStatus::kCheckCondition, .sense = Sense{key, asc, ascq, deferred}};
}
CommandResult with_status(ScsiStatus status) { return {.status = status, .sense = {}}; }

/// How often the answer is followed by sending again.
unsigned repeats(const CommandResult& answer, Resend resend = Resend::kAllowed) {
  RetryPolicy policy{RetryLimits{}};
  unsigned count = 0;
  while (policy.next(answer, resend, kNoJitter).step == Step::kAgain) ++count;
  return count;
}

TEST(RetryPolicy, SuccessIsDone) {
  RetryPolicy policy{RetryLimits{}};
  EXPECT_EQ(policy.next(with_status(ScsiStatus::kGood), Resend::kAllowed, 0).step, Step::kDone);
  EXPECT_EQ(policy.next(with_sense(SenseKey::kRecoveredError, 0x18), Resend::kAllowed, 0).step,
            Step::kDone);
}

TEST(RetryPolicy, EveryAnswerHasItsBound) {
  const struct {
    CommandResult answer;
    unsigned repeats;
    unsigned repeats_of_never;
  } cases[] = {
      {with_sense(SenseKey::kUnitAttention, 0x29), 10, 10},
      {with_status(ScsiStatus::kBusy), 20, 20},
      {with_status(ScsiStatus::kTaskSetFull), 20, 20},
      {with_sense(SenseKey::kNotReady, 0x04, 0x01), 20, 20},
      {with_sense(SenseKey::kNotReady, 0x04, 0x0a), 20, 20},
      {with_sense(SenseKey::kAbortedCommand, 0x47), 3, 0},
      {with_status(ScsiStatus::kTaskAborted), 3, 0},
      {with_sense(SenseKey::kNotReady, 0x04, 0x03), 0, 0},
      {with_sense(SenseKey::kNotReady, 0x3a), 0, 0},
      {with_sense(SenseKey::kMediumError, 0x11), 0, 0},
      {with_sense(SenseKey::kHardwareError, 0x44), 0, 0},
      {with_sense(SenseKey::kIllegalRequest, 0x20), 0, 0},
      {with_sense(SenseKey::kDataProtect, 0x27), 0, 0},
      {with_sense(SenseKey::kMiscompare, 0x1d), 0, 0},
      {with_sense(SenseKey::kNoSense), 0, 0},
      {with_sense(SenseKey::kUnitAttention, 0x29, 0, true), 0, 0},
      {with_sense(SenseKey::kRecoveredError, 0x18, 0, true), 0, 0},
      {with_status(ScsiStatus::kReservationConflict), 0, 0},
      {with_status(ScsiStatus::kAcaActive), 0, 0},
      {with_status(ScsiStatus::kCheckCondition), 0, 0},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(repeats(cases[i].answer), cases[i].repeats) << "case " << i;
    EXPECT_EQ(repeats(cases[i].answer, Resend::kNever), cases[i].repeats_of_never) << "case " << i;
  }
}

TEST(RetryPolicy, PausesDoubleUpToTheLongest) {
  RetryPolicy policy{RetryLimits{}};
  const auto busy = with_status(ScsiStatus::kBusy);
  for (const int expected : {10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000}) {
    EXPECT_EQ(policy.next(busy, Resend::kAllowed, kNoJitter).pause, milliseconds(expected));
  }
}

TEST(RetryPolicy, JitterSpreadsByAHalf) {
  const auto busy = with_status(ScsiStatus::kBusy);
  EXPECT_EQ(RetryPolicy{RetryLimits{}}.next(busy, Resend::kAllowed, 0.0).pause, milliseconds(5));
  EXPECT_EQ(RetryPolicy{RetryLimits{}}.next(busy, Resend::kAllowed, 1.0).pause, milliseconds(15));
}

TEST(RetryPolicy, UnitAttentionIsSentAgainAtOnce) {
  RetryPolicy policy{RetryLimits{}};
  EXPECT_EQ(policy.next(with_sense(SenseKey::kUnitAttention, 0x29), Resend::kAllowed, 1.0),
            (RetryDecision{Step::kAgain, milliseconds(0)}));
}

TEST(RetryPolicy, ReasonsAreCountedApart) {
  RetryPolicy policy{RetryLimits{.unit_attentions = 1, .aborts = 1, .waits = 1}};
  const auto next = [&](const CommandResult& answer) {
    return policy.next(answer, Resend::kAllowed, kNoJitter).step;
  };
  EXPECT_EQ(next(with_sense(SenseKey::kUnitAttention)), Step::kAgain);
  EXPECT_EQ(next(with_status(ScsiStatus::kBusy)), Step::kAgain);
  EXPECT_EQ(next(with_sense(SenseKey::kAbortedCommand)), Step::kAgain);
  EXPECT_EQ(next(with_sense(SenseKey::kUnitAttention)), Step::kFail);
  EXPECT_EQ(next(with_status(ScsiStatus::kTaskSetFull)), Step::kFail);
  EXPECT_EQ(next(with_status(ScsiStatus::kTaskAborted)), Step::kFail);
}

}  // namespace
}  // namespace lunfs::iscsi
