// Failover between two paths.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "tests/unit/iscsi/two_paths.h"

namespace lunfs::iscsi {
namespace {

using ::testing::AllOf;
using testing::FakeLun;
using testing::FakeTarget;
using testing::flag;
using ::testing::HasSubstr;
using testing::Initiator;
using testing::kAlways;
using testing::kFakeIqn;
using testing::kHangUp;
using testing::kRead;
using testing::kSilence;
using testing::kWrite;
using testing::noise;
using ::testing::Not;
using testing::options_for;
using testing::other_lun;
using testing::refuse;
using testing::refusing;
using testing::target;
using testing::TwoPaths;
using Reply = testing::FakeTarget::Reply;
using State = PathReport::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Paths, ResetSessionGoesOnOverTheOtherPathAtOnce) {
  TwoPaths two(target(refuse(kRead, 1, kHangUp)), target({}));
  two.open();
  const auto before = std::chrono::steady_clock::now();
  two.read();
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(500));
  EXPECT_EQ(two.second.count(kRead), 1U);
  EXPECT_EQ(two.state(1), State::kInUse);
  EXPECT_EQ(two.lun->state().failovers, 1U);
  EXPECT_EQ(two.lun->paths()[0].reason.empty(), false);
}

TEST(Paths, SilentPathIsGivenUpAfterItsTimeout) {
  auto silent = target(refuse(kRead, kAlways, kSilence));
  silent.ignore_pings = true;
  TwoPaths two(std::move(silent), target({}), seconds(3), seconds(60));
  two.open();
  const auto before = std::chrono::steady_clock::now();
  two.read();
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, milliseconds(2000));
  EXPECT_LT(took, milliseconds(4500));
  EXPECT_GE(two.first.pings(), 2);
  EXPECT_THAT(two.lun->paths()[0].reason, HasSubstr("does not answer a ping"));
}

TEST(Paths, SilenceTimeAfterTimeIsNotCalledTheWorkOfATwin) {
  auto silent = target({});
  silent.ignore_pings = true;
  TwoPaths two(silent, silent, seconds(1));
  two.open();
  for (const unsigned count : {1U, 2U, 3U}) {
    two.wait_until([&] { return two.lun->state().outages >= count; });
  }
  for (const PathReport& path : two.lun->paths()) {
    EXPECT_THAT(path.reason, Not(HasSubstr("another initiator")));
  }
}

TEST(Paths, CommandThatIsSwallowedWhilePingsAreAnsweredMakesNoDeadPath) {
  TwoPaths two(target(refuse(kRead, kAlways, kSilence)), target({}), seconds(1), seconds(5));
  two.open();
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { two.read(); }).kind(), ErrorKind::kUnreachable);
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(4900));
}

TEST(Paths, WriteThatWasLostGoesAgainInTheSamePortalGroup) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), 7), target({}, 7));
  two.open().write(1);
  EXPECT_EQ(two.second.count(kWrite), 1U);
  EXPECT_EQ(two.second.resets(), 0);
}

TEST(Paths, InAnotherPortalGroupALogicalUnitResetComesBeforeIt) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), 7), target({}, 8));
  two.open().write(1);
  EXPECT_EQ(two.second.resets(), 1);
  EXPECT_EQ(two.second.count_before_reset(kWrite), 0U);
  EXPECT_EQ(two.second.count(kWrite), 1U);
}

TEST(Paths, GroupThatIsNotToldCountsAsAnotherOne) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), {}), target({}, {}));
  two.open().write(1);
  EXPECT_EQ(two.second.resets(), 1);
}

TEST(Paths, LostReadNeedsNoReset) {
  TwoPaths two(target(refuse(kRead, 1, kHangUp), 7), target({}, 8));
  two.open().read();
  EXPECT_EQ(two.second.resets(), 0);
}

TEST(Paths, RefusedResetLeavesTheWriteWithAnUnknownOutcome) {
  auto refusing = target({}, 8);
  refusing.reset_response = 5;
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), 7), std::move(refusing));
  two.open();
  const Error error = FakeLun::fault([&] { two.write(1); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutcomeUnknown);
  EXPECT_THAT(error.cause(), HasSubstr("may still carry it out"));
  EXPECT_EQ(two.second.count(kWrite), 0U);
  two.write(2);
  EXPECT_EQ(two.read(), noise(512, 2));
}

/// A path in portal group 7 that ends for good at the first write.
FakeTarget::Options path_until_a_write() {
  const auto down = flag();
  FakeTarget::Options options = target(
      [down](const Cdb& cdb) -> std::optional<Reply> {
        if (cdb.bytes[0] != kWrite) return std::nullopt;
        *down = true;
        return kHangUp;
      },
      7);
  options.login = refusing(down);
  return options;
}

/// It is asked for for half as long as a command waits.
TEST(Paths, UnansweredResetDoesTheSame) {
  auto mute = target({}, 8);
  mute.reset_response.reset();
  TwoPaths two(path_until_a_write(), std::move(mute), seconds(12), seconds(8));
  two.open();
  EXPECT_EQ(FakeLun::fault([&] { two.write(1); }).kind(), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(two.second.resets(), 1);
  EXPECT_EQ(two.second.count(kWrite), 0U);
  two.write(2);
}

/// Each try ends before the answer to the reset is due.
TEST(Paths, UnansweredResetCountsAsRefusedWhereATryIsShort) {
  auto mute = target({}, 8);
  mute.reset_response.reset();
  TwoPaths two(path_until_a_write(), std::move(mute), seconds(3), seconds(6));
  two.open();
  EXPECT_EQ(FakeLun::fault([&] { two.write(1); }).kind(), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(two.second.count(kWrite), 0U);
  two.write(2);
}

TEST(Paths, UnansweredResetIsAskedForAgainOverAFurtherLogin) {
  auto slow = target({}, 8);
  slow.resets_ignored = 1;
  TwoPaths two(path_until_a_write(), std::move(slow));
  two.open().write(1);
  EXPECT_EQ(two.second.resets(), 2);
  EXPECT_EQ(two.second.count_before_reset(kWrite), 0U);
  EXPECT_EQ(two.second.count(kWrite), 1U);
  EXPECT_EQ(two.second.session_ids().size(), 2U);
  EXPECT_EQ(two.read(), noise(512, 1));
}

/// The parts of a joined write whose fate is not known are not sent either.
TEST(Paths, RefusedResetHoldsForWritesThatWereJoined) {
  auto refusing = target({}, 8);
  refusing.reset_response = 5;
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), 7), std::move(refusing));
  two.open();
  RequestContext context = RequestContext::within(seconds(30));
  const auto data = noise(4096, 1);
  std::vector<ErrorKind> ends;
  const auto note = [&](const std::exception_ptr& failure) {
    ends.push_back(failure ? FakeLun::fault([&] { std::rethrow_exception(failure); }).kind()
                           : ErrorKind::kInternal);
  };
  spawn(two.lun->write(context, 0, data, {}), note);
  spawn(two.lun->write(context, 4096, data, {}), note);
  two.wait_until([&] { return ends.size() == 2; });
  EXPECT_THAT(ends, ::testing::Each(ErrorKind::kOutcomeUnknown));
  EXPECT_EQ(two.second.count(kWrite), 0U);
}

/// One path whose target sends later logins to another portal group.
TEST(Paths, LoneMovedPortalNeedsTheResetToo) {
  FakeTarget other(target({}, 8));
  const auto moved = flag();
  auto options = target(refuse(kWrite, 1, kHangUp), 7);
  options.login = [&other, moved](int round, const std::string&) {
    FakeTarget::LoginReply reply;
    if (moved->load()) {
      reply.status = 0x0101;
      reply.keys = {"TargetAddress=" + other.portal().text() + ",8"};
      return reply;
    }
    reply.current_stage = round == 0 ? 0 : 1;
    reply.next_stage = round == 0 ? 1 : 3;
    if (round == 0) reply.keys = {"AuthMethod=None"};
    return reply;
  };
  FakeLun fake(std::move(options));
  *moved = true;
  fake.write(0, noise(512, 1));
  EXPECT_EQ(other.resets(), 1);
  EXPECT_EQ(other.count(kWrite), 1U);
}

TEST(Paths, PathToAnotherLunIsRefusedAndTheRightOneIsUsedAgain) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp)), target(other_lun(flag(true))));
  two.open().write(1);
  EXPECT_EQ(two.first.count(kWrite), 2U);
  EXPECT_EQ(two.second.count(kWrite), 0U);
  EXPECT_EQ(two.state(0), State::kInUse);
  EXPECT_EQ(two.state(1), State::kRefused);
  EXPECT_THAT(two.lun->paths()[1].reason, HasSubstr("another LUN stands at number 1 now"));
}

/// A reset would end what other hosts do with that LUN.
TEST(Paths, PathToAnotherLunGetsNoReset) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp), 7), target(other_lun(flag(true)), 8));
  two.open().write(1);
  EXPECT_EQ(two.state(1), State::kRefused);
  EXPECT_EQ(two.second.resets(), 0);
}

TEST(Paths, LunThatIsAnotherOneOnEveryPathIsRefused) {
  const auto first_other = flag();
  const auto once = refuse(kWrite, 1, kHangUp);
  TwoPaths two(target(other_lun(first_other,
                                [=](const Cdb& cdb) -> std::optional<Reply> {
                                  if (cdb.bytes[0] == kWrite) *first_other = true;
                                  return once(cdb);
                                })),
               target(other_lun(flag(true))));
  two.open();
  EXPECT_EQ(FakeLun::fault([&] { two.write(1); }).kind(), ErrorKind::kIo);
  EXPECT_EQ(two.lun->state().kind, SessionState::Kind::kRefused);
  *first_other = false;
  two.wait_until([&] { return two.lun->connected(); });
  two.write(2);
}

TEST(Paths, FirstLoginTakesAnyPathThatWorks) {
  TwoPaths two(target({}), target({}));
  two.options.url.portal = {"127.0.0.1", 1};
  two.open().write(1);
  EXPECT_EQ(two.second.count(kWrite), 1U);
  EXPECT_EQ(two.state(0), State::kDown);
  EXPECT_EQ(two.state(1), State::kInUse);
}

TEST(Paths, FirstLoginThatFailsEverywhereTellsEachReason) {
  Initiator initiator;
  LunOptions options = options_for({"127.0.0.1", 1}, kFakeIqn, 1);
  options.portals = {{"127.0.0.1", 2}, {"127.0.0.1", 1}};
  const Error error = initiator.open_error(options);
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("no path to LUN 1 of iqn.2026-11.example:fake works"),
                    HasSubstr("127.0.0.1:1: "), HasSubstr("127.0.0.1:2: ")));
  EXPECT_FALSE(error.remedy().empty());
}

TEST(Paths, EachSessionMayBeginWithAPathOfItsOwn) {
  TwoPaths two(target({}), target({}));
  two.options.first_path = 3;
  two.open().read();
  EXPECT_EQ(two.second.count(kRead), 1U);
  EXPECT_EQ(two.first.count(kRead), 0U);
}

TEST(Paths, PortalsThatTheTargetTellsAreUsed) {
  FakeTarget second(target({}));
  auto telling = target({});
  telling.discovery = {std::string("TargetName=") + kFakeIqn,
                       "TargetAddress=" + second.portal().text() + ",1"};
  TwoPaths two(std::move(telling), target({}));
  two.options.portals.clear();
  two.options.discover_portals = true;
  two.open();
  ASSERT_EQ(two.lun->paths().size(), 2U);
  EXPECT_EQ(two.lun->paths()[1].portal, second.portal());
}

TEST(Paths, PathThatStandsByIsSeenToBeUpOrDown) {
  auto gone = std::make_unique<FakeTarget>(target({}));
  TwoPaths two(target({}), target({}));
  two.options.portals.push_back(gone->portal());
  gone.reset();
  two.open();
  two.wait_until(
      [&] { return two.state(1) != State::kUnknown && two.state(2) != State::kUnknown; });
  EXPECT_EQ(two.state(1), State::kUp);
  EXPECT_EQ(two.state(2), State::kDown);
  EXPECT_THAT(two.lun->paths()[2].reason, HasSubstr("refused"));
}

TEST(Paths, LostPathIsSeenToBeBack) {
  TwoPaths two(target(refuse(kRead, 1, kHangUp)), target({}));
  two.open().read();
  EXPECT_EQ(two.state(0), State::kDown);
  two.wait_until([&] { return two.state(0) == State::kUp; });
  EXPECT_EQ(two.state(1), State::kInUse);
}

TEST(Paths, ExpectedLunIsLookedForOnEveryPath) {
  TwoPaths two(target(other_lun(flag(true))), target({}));
  LunIdentity expected;
  expected.size_bytes = std::uint64_t{4096} * 512;
  expected.block_size_bytes = 512;
  two.options.expected = expected;
  two.open().read();
  EXPECT_EQ(two.state(1), State::kInUse);
  EXPECT_THAT(two.lun->paths()[0].reason, HasSubstr("it leads to another LUN"));
}

}  // namespace
}  // namespace lunfs::iscsi
