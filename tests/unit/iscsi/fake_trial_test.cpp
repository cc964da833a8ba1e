// Names on trial at a target that ends sessions as a test tells it.
#include <gtest/gtest.h>

#include <atomic>

#include "iscsi/name_trial.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeTarget;
using testing::Initiator;
using LoginReply = FakeTarget::LoginReply;
using Verdict = NameTrial::Verdict;
using std::chrono::milliseconds;

constexpr TrialLimits kQuick{.hold = milliseconds(300), .pause = milliseconds(10)};

/// Lets every login in and ends the session behind the first `lost` of them; `status` refuses.
struct Trial {
  explicit Trial(int lost, std::uint16_t status = 0)
      : target({.login =
                    [this, lost, status](int /*round*/, const std::string& /*text*/) {
                      return LoginReply{
                          .status = status, .keys = {}, .raw = {}, .hang_up = ++logins <= lost};
                    },
                .handler = {}}) {}

  NameTrial run() {
    const LoginRequest request{
        target.portal(),
        {"iqn.2026-11.example:initiator", Iqn::parse("iqn.2026-11.example:fake"), {}},
        ""};
    return initiator.run([&](RequestContext& c) {
      return try_name(c, initiator.reactor, initiator.pool, request, kQuick);
    });
  }

  std::atomic<int> logins = 0;
  FakeTarget target;
  Initiator initiator;
};

TEST(NameTrial, SessionThatLastsIsHeld) {
  Trial trial(0);
  const NameTrial result = trial.run();
  EXPECT_EQ(result.verdict, Verdict::kHeld);
  EXPECT_EQ(result.losses, 0U);
  EXPECT_EQ(trial.logins, 1);
}

TEST(NameTrial, OneLossIsTriedAgain) {
  Trial trial(1);
  EXPECT_EQ(trial.run().verdict, Verdict::kLostOnce);
  EXPECT_EQ(trial.logins, 2);
}

TEST(NameTrial, TwoLossesInARowAreSomebodysDoing) {
  Trial trial(2);
  const NameTrial result = trial.run();
  EXPECT_EQ(result.verdict, Verdict::kThrownOut);
  EXPECT_EQ(result.losses, 2U);
  EXPECT_TRUE(result.held_with_own_isid);
}

TEST(NameTrial, IsidOfItsOwnTellsATwinFromATargetThatEndsAll) {
  Trial twin(3);
  EXPECT_TRUE(twin.run().held_with_own_isid);
  Trial all(1000);
  const NameTrial result = all.run();
  EXPECT_EQ(result.verdict, Verdict::kThrownOut);
  EXPECT_FALSE(result.held_with_own_isid);
  EXPECT_EQ(all.logins, 4);
}

TEST(NameTrial, RefusalIsToldWithItsReason) {
  Trial trial(0, 0x0202);
  const NameTrial result = trial.run();
  EXPECT_EQ(result.verdict, Verdict::kRefused);
  ASSERT_TRUE(result.refusal);
  EXPECT_EQ(result.refusal->kind(), ErrorKind::kAuth);
}

TEST(NameTrial, CancellationEndsTheHold) {
  Trial trial(0);
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  Cancellation cancellation;
  context.cancellation = &cancellation;
  Initiator& initiator = trial.initiator;
  const LoginRequest request{
      trial.target.portal(),
      {"iqn.2026-11.example:initiator", Iqn::parse("iqn.2026-11.example:fake"), {}},
      ""};
  const auto timer = initiator.reactor.at(Reactor::Clock::now() + milliseconds(100),
                                          [&cancellation] { cancellation.request(); });
  try {
    run_until_done(initiator.reactor, try_name(context, initiator.reactor, initiator.pool, request,
                                               {.hold = std::chrono::seconds(50)}));
    ADD_FAILURE() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

}  // namespace
}  // namespace lunfs::iscsi
