// Paths whose target ports have access states (ALUA).
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "iscsi/alua.h"
#include "tests/unit/iscsi/fake_journal.h"
#include "tests/unit/iscsi/two_paths.h"

namespace lunfs::iscsi {
namespace {

using ::testing::AllOf;
using testing::check_condition;
using testing::FakeTarget;
using ::testing::HasSubstr;
using testing::kInquiry;
using testing::kRead;
using testing::kWrite;
using testing::refuse;
using testing::target;
using testing::TwoPaths;
using Reply = testing::FakeTarget::Reply;
using State = PathReport::State;
using std::chrono::milliseconds;

constexpr std::uint8_t kReportPortGroups = 0xa3;

using Access = std::shared_ptr<std::atomic<int>>;
Access access(AccessState state) {
  return std::make_shared<std::atomic<int>>(static_cast<int>(state));
}

/// A LUN with target port groups 1 and 2, asked at the port of `here`; what it does not say of
/// itself `more` answers.
FakeTarget::Handler alua(int here, const Access& one, const Access& two,
                         FakeTarget::Handler more = {}) {
  return [=](const Cdb& cdb) -> std::optional<Reply> {
    Reply reply{.sense = {}, .data = {}};
    if (cdb.bytes[0] == kInquiry && (cdb.bytes[1] & 1U) == 0) {
      reply.data.assign(36, std::byte{' '});
      reply.data[0] = std::byte{0};
      reply.data[5] = std::byte{0x10};
      return reply;
    }
    if (cdb.bytes[0] == kInquiry && cdb.bytes[2] == 0x83) {
      reply.data.assign(12, std::byte{0});
      reply.data[1] = std::byte{0x83};
      reply.data[3] = std::byte{8};
      reply.data[4] = std::byte{1};
      reply.data[5] = std::byte{0x15};
      reply.data[7] = std::byte{4};
      reply.data[11] = static_cast<std::byte>(here);
      return reply;
    }
    if (cdb.bytes[0] == kReportPortGroups) {
      reply.data.assign(20, std::byte{0});
      reply.data[3] = std::byte{16};
      reply.data[4] = static_cast<std::byte>(one->load());
      reply.data[7] = std::byte{1};
      reply.data[12] = static_cast<std::byte>(two->load());
      reply.data[15] = std::byte{2};
      return reply;
    }
    return more ? more(cdb) : std::nullopt;
  };
}

TEST(AccessStates, StandbyPathIsNotUsed) {
  const Access one = access(AccessState::kStandby);
  const Access two = access(AccessState::kOptimized);
  TwoPaths paths(target(alua(1, one, two)), target(alua(2, one, two), 2));
  paths.open().read();
  EXPECT_EQ(paths.first.count(kRead), 0U);
  EXPECT_EQ(paths.state(1), State::kInUse);
  EXPECT_EQ(paths.lun->paths()[1].access, AccessState::kOptimized);
}

TEST(AccessStates, NonOptimizedPathIsUsedWhenNothingIsBetter) {
  const Access one = access(AccessState::kNonOptimized);
  const Access two = access(AccessState::kStandby);
  TwoPaths paths(target(alua(1, one, two)), target(alua(2, one, two), 2));
  paths.open().read();
  EXPECT_EQ(paths.state(0), State::kInUse);
  EXPECT_EQ(paths.lun->paths()[0].access, AccessState::kNonOptimized);
}

TEST(AccessStates, OptimizedPathIsTakenBeforeANonOptimizedOne) {
  const Access one = access(AccessState::kNonOptimized);
  const Access two = access(AccessState::kOptimized);
  TwoPaths paths(target(alua(1, one, two)), target(alua(2, one, two), 2));
  paths.open().read();
  EXPECT_EQ(paths.state(1), State::kInUse);
}

TEST(AccessStates, WithoutAUsablePathTheMountIsRefusedWithBothReasons) {
  const Access standby = access(AccessState::kStandby);
  TwoPaths paths(target(alua(1, standby, standby)), target(alua(2, standby, standby), 2));
  const Error error = paths.initiator.open_error(paths.options);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_THAT(
      error.message(),
      AllOf(HasSubstr("no path to LUN 1"), HasSubstr(paths.first.portal().text()),
            HasSubstr(paths.second.portal().text()), HasSubstr("the LUN is standby there")));
}

TEST(AccessStates, PortThatGoesToStandbyIsLeftAndNothingIsReset) {
  const Access one = access(AccessState::kOptimized);
  const Access two = access(AccessState::kStandby);
  auto leave = [=](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kWrite) return std::nullopt;
    *one = static_cast<int>(AccessState::kStandby);
    *two = static_cast<int>(AccessState::kOptimized);
    return check_condition(2, 0x04, 0x0b);
  };
  TwoPaths paths(target(alua(1, one, two, leave)), target(alua(2, one, two), 2));
  paths.open().write(1);
  EXPECT_EQ(paths.second.count(kWrite), 1U);
  EXPECT_EQ(paths.second.resets(), 0);
  EXPECT_EQ(paths.lun->state().outages, 0U);
  EXPECT_EQ(paths.lun->state().failovers, 1U);
}

TEST(AccessStates, ChangeThatMakesAnotherPathBetterMovesTheSession) {
  const Access one = access(AccessState::kOptimized);
  const Access two = access(AccessState::kNonOptimized);
  auto change = [=, told = std::make_shared<std::atomic<bool>>(false)](
                    const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kRead || told->exchange(true)) return std::nullopt;
    *one = static_cast<int>(AccessState::kNonOptimized);
    *two = static_cast<int>(AccessState::kOptimized);
    return check_condition(6, 0x2a, 0x06);
  };
  TwoPaths paths(target(alua(1, one, two, change)), target(alua(2, one, two), 2));
  paths.open().read();
  paths.wait_until([&] { return paths.state(1) == State::kInUse; });
  paths.write(1);
  EXPECT_EQ(paths.second.count(kWrite), 1U);
}

TEST(AccessStates, ChangeThatLeavesThePathTheBestChangesNothing) {
  const Access one = access(AccessState::kOptimized);
  const Access two = access(AccessState::kNonOptimized);
  TwoPaths paths(target(alua(1, one, two, refuse(kRead, 1, check_condition(6, 0x2a, 0x06)))),
                 target(alua(2, one, two), 2));
  paths.open().read();
  paths.pause(milliseconds(300));
  EXPECT_EQ(paths.state(0), State::kInUse);
  EXPECT_EQ(paths.lun->state().failovers, 0U);
}

/// What the old path still answers counts, but not for what the reset has taken before.
TEST(AccessStates, ResetOnThePathThatIsBeingLeftIsNotForgotten) {
  const Access one = access(AccessState::kOptimized);
  const Access two = access(AccessState::kOptimized);
  const auto reads = std::make_shared<std::atomic<int>>(0);
  const auto lose = std::make_shared<std::function<void()>>();
  const auto failover = [=](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kRead) return std::nullopt;
    if (++*reads == 1) {
      *one = static_cast<int>(AccessState::kStandby);
      return check_condition(2, 0x04, 0x0b);
    }
    (*lose)();
    return testing::kWasReset;
  };
  TwoPaths paths(target(alua(1, one, two, failover)), target(alua(2, one, two), 2));
  paths.options.journal_bytes = testing::kJournalBytes;
  *lose = [&paths] { paths.first.lose_cache(); };
  paths.open().write(1);
  // Too long to wait for others that they could go with: they are sent in this order.
  std::vector<std::byte> here(std::size_t{256} << 10U);
  std::vector<std::byte> there(here.size());
  paths.initiator.run([&](RequestContext& c) {
    std::vector<Task<void>> all;
    all.push_back(paths.lun->read(c, 0, here));
    all.push_back(paths.lun->read(c, here.size(), there));
    all.push_back(paths.lun->flush(c));
    return testing::all_of(std::move(all));
  });
  EXPECT_EQ(*reads, 2);
  EXPECT_EQ(paths.second.count(kWrite), 1U) << "over the new path it is written again";
  EXPECT_EQ(paths.lun->losses(), 0U);
}

}  // namespace
}  // namespace lunfs::iscsi
