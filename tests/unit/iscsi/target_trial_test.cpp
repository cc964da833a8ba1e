// Names on trial at a real target: who throws whom out.
#include <gtest/gtest.h>

#include "base/spawn.h"
#include "base/wake_up.h"
#include "iscsi/name_trial.h"
#include "tests/unit/iscsi/one_lun.h"

namespace lunfs::iscsi {
namespace {

using std::chrono::milliseconds;
using testing::kIqn;
using testing::OneLun;

constexpr TrialLimits kQuick{.hold = milliseconds(1500), .pause = milliseconds(100)};

/// Two initiators of one name. With CHAP, as tgtd looks for a session of the same identity only at
/// the end of the security stage, which libiscsi leaves out without.
struct Twins : OneLun {
  Twins() {
    server.add_account("alice", "secret-of-alice");
    server.bind_account(1, "alice");
  }
  Task<void> one(RequestContext& context, std::optional<Isid> isid, NameTrial& result) {
    const LoginRequest request{
        server.portal(),
        {options.initiator_name, Iqn::parse(kIqn), {"alice", "secret-of-alice", "", ""}, "", isid},
        ""};
    result = co_await try_name(context, initiator.reactor, initiator.pool, request, kQuick);
  }
  /// tgtd tells two sessions of one identity apart only once the first login has ended.
  Task<void> later(RequestContext& context, Task<void> task) {
    WakeUp nobody(initiator.reactor);
    co_await nobody.until(context, Reactor::Clock::now() + milliseconds(200));
    co_await task;
  }
  void run_both(const std::optional<Isid>& isid) {
    initiator.run([&](RequestContext& c) {
      std::vector<Task<void>> tasks;
      tasks.push_back(one(c, isid, first));
      tasks.push_back(later(c, one(c, isid, second)));
      return testing::all_of(std::move(tasks));
    });
  }
  NameTrial first;
  NameTrial second;
};

TEST(NameTrialAtTgtd, SameNameAndSameIsidThrowEachOtherOut) {
  Twins twins;
  twins.run_both(Isid::parse("open-iscsi"));
  for (const NameTrial& result : {twins.first, twins.second}) {
    EXPECT_EQ(result.verdict, NameTrial::Verdict::kThrownOut);
    EXPECT_TRUE(result.held_with_own_isid);
  }
}

TEST(NameTrialAtTgtd, SameNameWithIsidsOfTheirOwnStandSideBySide) {
  Twins twins;
  twins.run_both(std::nullopt);
  for (const NameTrial& result : {twins.first, twins.second}) {
    EXPECT_EQ(result.verdict, NameTrial::Verdict::kHeld);
  }
}

TEST(NameTrialAtTgtd, EveryTypeOfIsidReachesTheTarget) {
  for (const char* isid : {"40000102abcd", "80123456abcd"}) {
    Twins twins;
    twins.run_both(Isid::parse(isid));
    EXPECT_EQ(twins.first.verdict, NameTrial::Verdict::kThrownOut) << isid;
  }
}

}  // namespace
}  // namespace lunfs::iscsi
