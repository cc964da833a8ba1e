#include "iscsi/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using State = PathReport::State;
using Time = PathSet::Time;

Time at(int seconds) { return Time(std::chrono::seconds(1000 + seconds)); }

std::vector<PortalAddress> portals(std::size_t count) {
  std::vector<PortalAddress> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({"192.0.2.1", static_cast<std::uint16_t>(3260 + i)});
  }
  return all;
}

std::vector<std::size_t> turns(PathSet& paths, int count) {
  std::vector<std::size_t> all;
  for (int i = 0; i < count; ++i) all.push_back(paths.next().path);
  return all;
}

/// What the LUN tells at `path`, which is in group path + 1.
void tell(PathSet& paths, std::size_t path, std::vector<AccessState> states) {
  std::vector<PortGroup> groups;
  for (std::size_t i = 0; i < states.size(); ++i) {
    groups.push_back({static_cast<std::uint16_t>(i + 1), states[i], {}});
  }
  paths.note_access(path, {.port = {}, .group = static_cast<std::uint16_t>(path + 1)}, groups);
}

TEST(PathSet, DoublesAndWhatIsTooMuchAreLeftOut) {
  auto all = portals(20);
  all.insert(all.begin(), all.front());
  const PathSet paths(all, 0);
  EXPECT_EQ(paths.size(), PathSet::kMost);
  EXPECT_EQ(paths.at(0).portal, all[0]);
  EXPECT_EQ(paths.at(1).portal, all[2]);
}

TEST(PathSet, RoundBeginsWhereItIsTold) {
  PathSet paths(portals(3), 4);
  EXPECT_THAT(turns(paths, 4), ElementsAre(1, 2, 0, 1));
}

TEST(PathSet, NewRoundIsToldOnceAllHadTheirTurn) {
  PathSet paths(portals(2), 0);
  EXPECT_FALSE(paths.next().new_round);
  EXPECT_FALSE(paths.next().new_round);
  EXPECT_TRUE(paths.next().new_round);
  EXPECT_FALSE(paths.next().new_round);
}

TEST(PathSet, LostPathIsTheLastToBeTriedAgain) {
  PathSet paths(portals(3), 0);
  paths.use(paths.next().path, at(0));
  paths.lose("cut", true, at(20));
  EXPECT_THAT(turns(paths, 3), ElementsAre(1, 2, 0));
  EXPECT_TRUE(paths.next().new_round);
}

TEST(PathSet, LonePathIsTriedAtOnceAndThenBeginsARoundEachTime) {
  PathSet paths(portals(1), 0);
  paths.use(paths.next().path, at(0));
  paths.lose("cut", true, at(20));
  EXPECT_FALSE(paths.next().new_round);
  EXPECT_TRUE(paths.next().new_round);
  EXPECT_TRUE(paths.next().new_round);
}

/// So that sessions that end at once on every path are not made without a pause.
TEST(PathSet, SessionsThatEndAtOnceUseTheRoundUp) {
  PathSet paths(portals(2), 0);
  for (int i = 0; i < 2; ++i) {
    const auto turn = paths.next();
    EXPECT_FALSE(turn.new_round);
    paths.use(turn.path, at(i));
    paths.lose("cut", false, at(i));
  }
  EXPECT_TRUE(paths.next().new_round);
}

TEST(PathSet, PathThatIsDownIsTriedAfterTheOthers) {
  PathSet paths(portals(3), 0);
  paths.use(paths.next().path, at(0));
  EXPECT_TRUE(paths.fail(1, "no answer", at(1)));
  EXPECT_FALSE(paths.fail(1, "no answer", at(2)));
  paths.lose("cut", true, at(20));
  EXPECT_THAT(turns(paths, 2), ElementsAre(2, 1));
}

TEST(PathSet, PathComesBackWithTheSecondsThatItWasDown) {
  PathSet paths(portals(2), 0);
  paths.use(0, at(0));
  paths.fail(1, "no answer", at(1));
  paths.fail(1, "still none", at(4));
  EXPECT_EQ(paths.at(1).reason, "still none");
  const auto down = paths.answer(1, at(8));
  ASSERT_TRUE(down);
  EXPECT_EQ(down->count(), 7.0);
  EXPECT_EQ(paths.at(1).state, State::kUp);
  EXPECT_EQ(paths.at(1).reason, "");
  EXPECT_FALSE(paths.answer(1, at(9)));
  EXPECT_EQ(paths.at(1).since, at(8));
}

TEST(PathSet, AnswerOfTcpDoesNotClearARefusal) {
  PathSet paths(portals(2), 0);
  paths.use(0, at(0));
  paths.fail(1, "another LUN", at(1), true);
  EXPECT_FALSE(paths.answer(1, at(2)));
  EXPECT_EQ(paths.at(1).state, State::kRefused);
  EXPECT_TRUE(paths.use(1, at(3)));
  EXPECT_EQ(paths.at(1).state, State::kInUse);
  EXPECT_EQ(paths.at(0).state, State::kUp);
}

TEST(PathSet, OptimizedPathIsTakenAtOnce) {
  PathSet paths(portals(2), 0);
  EXPECT_TRUE(paths.take(paths.next(), AccessState::kOptimized));
  EXPECT_TRUE(paths.take(paths.next(), std::nullopt));
}

TEST(PathSet, NonOptimizedOneIsTakenIfThereIsNoBetter) {
  PathSet paths(portals(3), 0);
  EXPECT_FALSE(paths.take(paths.next(), AccessState::kNonOptimized));
  EXPECT_FALSE(paths.take(paths.next(), AccessState::kStandby));
  paths.fail(paths.next().path, "no answer", at(0));
  const auto turn = paths.next();
  EXPECT_EQ(turn.path, 0U);
  EXPECT_TRUE(turn.last_choice);
  EXPECT_FALSE(turn.new_round);
  EXPECT_TRUE(paths.take(turn, AccessState::kNonOptimized));
}

TEST(PathSet, LastOneOfARoundIsTakenIfItIsAsGoodAsWhatWasPutAside) {
  PathSet paths(portals(2), 0);
  EXPECT_FALSE(paths.take(paths.next(), AccessState::kNonOptimized));
  EXPECT_TRUE(paths.take(paths.next(), AccessState::kNonOptimized));
}

TEST(PathSet, StatesWithoutIoAreNeverTaken) {
  for (const AccessState state : {AccessState::kStandby, AccessState::kUnavailable,
                                  AccessState::kOffline, AccessState::kTransitioning}) {
    PathSet paths(portals(2), 0);
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(paths.take(paths.next(), state)) << name_of(state);
  }
}

TEST(PathSet, LonePathIsTakenWhateverItsState) {
  PathSet paths(portals(1), 0);
  EXPECT_TRUE(paths.take(paths.next(), AccessState::kStandby));
}

TEST(PathSet, BestKnownStateGoesFirst) {
  PathSet paths(portals(3), 0);
  for (std::size_t i = 0; i < 3; ++i) {
    tell(paths, i, {AccessState::kOptimized, AccessState::kStandby, AccessState::kNonOptimized});
  }
  paths.use(0, at(0));
  paths.lose("cut", true, at(20));
  EXPECT_THAT(turns(paths, 3), ElementsAre(2, 1, 0));
}

TEST(PathSet, ChangeOfStateIsToldForAllGroups) {
  PathSet paths(portals(2), 0);
  tell(paths, 1, {AccessState::kOptimized, AccessState::kNonOptimized});
  paths.use(0, at(0));
  tell(paths, 0, {AccessState::kOptimized, AccessState::kNonOptimized});
  EXPECT_FALSE(paths.better_elsewhere());
  tell(paths, 0, {AccessState::kNonOptimized, AccessState::kOptimized});
  EXPECT_TRUE(paths.better_elsewhere());
  EXPECT_EQ(paths.at(1).access, AccessState::kOptimized);
  paths.fail(1, "no answer", at(1));
  EXPECT_FALSE(paths.better_elsewhere());
}

TEST(PathSet, PathThatWasNeverAskedMayBeTheBetterOne) {
  PathSet paths(portals(2), 0);
  paths.use(0, at(0));
  tell(paths, 0, {AccessState::kStandby, AccessState::kOptimized});
  EXPECT_TRUE(paths.better_elsewhere());
  tell(paths, 0, {AccessState::kNonOptimized, AccessState::kNonOptimized});
  EXPECT_FALSE(paths.better_elsewhere());
}

TEST(LeftWrites, LoginInTheSamePortalGroupSettlesThem) {
  LeftWrites left;
  left.add({.path = 0, .portal_group = 1});
  left.settle({.path = 1, .portal_group = 2});
  EXPECT_TRUE(left.any());
  left.settle({.path = 1, .portal_group = 1});
  EXPECT_FALSE(left.any());
}

TEST(LeftWrites, WithoutATagOnlyTheSamePathCounts) {
  LeftWrites left;
  left.add({.path = 0, .portal_group = {}});
  left.settle({.path = 1, .portal_group = 1});
  EXPECT_TRUE(left.any());
  left.settle({.path = 0, .portal_group = {}});
  EXPECT_FALSE(left.any());
}

TEST(LeftWrites, SecondLossDoesNotHideTheFirst) {
  LeftWrites left;
  left.add({.path = 0, .portal_group = 1});
  left.add({.path = 1, .portal_group = 2});
  left.settle({.path = 1, .portal_group = 2});
  EXPECT_TRUE(left.any());
  left.settle_all();
  EXPECT_FALSE(left.any());
}

}  // namespace
}  // namespace lunfs::iscsi
