// A session that is lost and restored.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>

#include "base/bytes.h"
#include "base/spawn.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using testing::FakeLun;
using testing::FakeTarget;
using testing::flag;
using ::testing::HasSubstr;
using testing::kAlways;
using testing::kHangUp;
using testing::kRead;
using testing::kSilence;
using testing::kWrite;
using testing::noise;
using ::testing::Not;
using testing::other_lun;
using testing::refuse;
using testing::refusing;
using Reply = testing::FakeTarget::Reply;
using Kind = SessionState::Kind;

TEST(Reconnect, ReadAndWriteInFlightAreSentAgainAndSucceed) {
  const auto reads = refuse(kRead, 1, kHangUp);
  const auto writes = refuse(kWrite, 1, kHangUp);
  FakeLun fake({.login = {}, .handler = [=](const Cdb& cdb) {
                  return cdb.bytes[0] == kRead ? reads(cdb) : writes(cdb);
                }});
  fake.write(512, noise(512, 1));
  EXPECT_EQ(fake.read(512, 512), noise(512, 1));
  EXPECT_EQ(fake.target.count(kWrite), 2U);
  EXPECT_EQ(fake.target.count(kRead), 2U);
  EXPECT_EQ(fake.lun->state().outages, 2U);
  EXPECT_TRUE(fake.lun->connected());
}

TEST(Reconnect, NewSessionHasTheIdOfTheOld) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp)});
  fake.read(0, 512);
  const auto ids = fake.target.session_ids();
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_EQ(ids[0], ids[1]);
}

TEST(Reconnect, TwoMountsHaveDifferentIds) {
  FakeLun one({});
  FakeLun other({});
  EXPECT_NE(one.target.session_ids(), other.target.session_ids());
}

TEST(Reconnect, IdleSessionIsRestoredToo) {
  FakeLun fake({});
  fake.target.drop_connection();
  fake.initiator.pause(std::chrono::milliseconds(500));
  EXPECT_TRUE(fake.lun->connected());
  EXPECT_EQ(fake.lun->state().outages, 1U);
}

TEST(Reconnect, WaitingIoFailsWhenTheOutageLimitIsReachedAndLaterIoAtOnce) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = {}});
  *down = true;
  fake.target.drop_connection();
  const auto before = std::chrono::steady_clock::now();
  const Error late = FakeLun::fault([&] { fake.read(0, 512); });
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(late.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(late.message(), HasSubstr("no session with 127.0.0.1:"));
  EXPECT_THAT(late.remedy(), HasSubstr("work again by themselves"));
  EXPECT_GE(took, std::chrono::milliseconds(1900));
  EXPECT_LT(took, std::chrono::seconds(3));

  const auto again = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), ErrorKind::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - again, std::chrono::milliseconds(200));
  EXPECT_EQ(fake.lun->state().kind, Kind::kLost);

  *down = false;
  fake.initiator.pause(std::chrono::milliseconds(5500));
  fake.write(0, noise(512, 2));
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
  EXPECT_EQ(fake.lun->state().kind, Kind::kUp);
}

TEST(Reconnect, ReadThatWaitsCanBeCancelled) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = {}}, std::chrono::hours(100));
  *down = true;
  fake.target.drop_connection();
  fake.initiator.pause(std::chrono::milliseconds(100));
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  std::vector<std::byte> out(512);
  const auto timer = fake.initiator.reactor.at(
      Reactor::Clock::now() + std::chrono::milliseconds(200), [&] { cancellation.request(); });
  const Error error = FakeLun::fault(
      [&] { run_until_done(fake.initiator.reactor, fake.lun->read(context, 0, out)); });
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
}

TEST(Reconnect, WriteThatWasSentIsNeverCalledCancelled) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down),
                .handler = [down](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kWrite) return std::nullopt;
                  *down = true;
                  return kHangUp;
                }},
               std::chrono::hours(100));
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const auto data = noise(512, 1);
  const auto timer = fake.initiator.reactor.at(
      Reactor::Clock::now() + std::chrono::milliseconds(300), [&] { cancellation.request(); });
  const Error error = FakeLun::fault(
      [&] { run_until_done(fake.initiator.reactor, fake.lun->write(context, 0, data)); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutcomeUnknown);
}

TEST(Reconnect, LogoutDuringAnOutageEndsAtOnceAndEndsWhatWaits) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = {}}, std::chrono::hours(100));
  *down = true;
  fake.target.drop_connection();
  fake.initiator.pause(std::chrono::milliseconds(300));
  RequestContext context;
  std::vector<std::byte> out(512);
  std::optional<ErrorKind> end;
  spawn(fake.lun->read(context, 0, out), [&](const std::exception_ptr& failure) {
    end = FakeLun::fault([&] { std::rethrow_exception(failure); }).kind();
  });
  const auto before = std::chrono::steady_clock::now();
  fake.initiator.run([&](RequestContext& c) { return fake.lun->logout(c); });
  fake.initiator.pause(std::chrono::milliseconds(1));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  EXPECT_EQ(end, ErrorKind::kUnreachable);
}

/// After the session was lost READ CAPACITY tells of half the blocks.
TEST(Reconnect, AnotherLunInItsPlaceIsRefusedAndGetsNothing) {
  const auto changed = flag();
  FakeLun fake({.login = {},
                .handler = other_lun(changed, [changed](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kWrite || changed->exchange(true)) return std::nullopt;
                  return kHangUp;
                })});
  const Error error = FakeLun::fault([&] { fake.write(0, noise(512, 1)); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("another LUN stands at number 1 now"));
  EXPECT_FALSE(error.cause().empty());
  EXPECT_THAT(error.remedy(), HasSubstr("nothing is sent to it"));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
  EXPECT_EQ(fake.lun->state().kind, Kind::kRefused);
  fake.initiator.pause(std::chrono::milliseconds(300));
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kIo);
  EXPECT_EQ(fake.target.count(kRead), 0U);
}

Task<std::optional<Error>> read_and_agree(RequestContext& context, BlockDevice& device,
                                          std::vector<std::byte>& found) {
  found.resize(100);
  co_await device.read(context, 1000, found);
  co_return std::nullopt;
}

Task<std::optional<Error>> refuse_all(RequestContext& /*context*/, BlockDevice& /*device*/) {
  co_return Error(ErrorKind::kIo, "the map is old");
}

TEST(Reconnect, GuardReadsThroughTheNewSessionBeforeAnythingElse) {
  FakeLun fake({.login = {}, .handler = refuse(kWrite, 1, kHangUp)});
  fake.target.set_bytes(noise(std::size_t{4096} * 512, 3));
  std::vector<std::byte> found;
  std::size_t writes_before = 0;
  fake.lun->set_resume_guard([&](RequestContext& c, BlockDevice& device) {
    writes_before = fake.target.count(kWrite);
    return read_and_agree(c, device, found);
  });
  fake.write(0, noise(512, 1));
  const auto all = noise(std::size_t{4096} * 512, 3);
  EXPECT_EQ(found, std::vector<std::byte>(all.begin() + 1000, all.begin() + 1100));
  EXPECT_EQ(writes_before, 1U);
  EXPECT_EQ(fake.target.count(kWrite), 2U);
}

TEST(Reconnect, GuardThatDoesNotAgreeEndsAllIo) {
  FakeLun fake({.login = {}, .handler = refuse(kWrite, 1, kHangUp)});
  fake.lun->set_resume_guard(
      [](RequestContext& c, BlockDevice& device) { return refuse_all(c, device); });
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).message(), "the map is old");
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).message(), "the map is old");
  EXPECT_EQ(fake.target.count(kWrite), 1U);
  EXPECT_EQ(fake.target.count(kRead), 0U);
}

TEST(Reconnect, SilentIdleTargetIsPingedAndKept) {
  FakeLun fake({});
  fake.initiator.pause(std::chrono::milliseconds(3500));
  EXPECT_GE(fake.target.pings(), 1);
  EXPECT_EQ(fake.lun->state().outages, 0U);
}

TEST(Reconnect, TargetThatAnswersNoPingIsGivenUp) {
  FakeLun fake({.login = {}, .handler = {}, .ignore_pings = true}, std::chrono::seconds(60));
  fake.initiator.pause(std::chrono::milliseconds(5500));
  EXPECT_EQ(fake.lun->state().outages, 1U);
}

TEST(Reconnect, CommandThatIsSwallowedEachTimeEndsWhenItsTimeIsUp) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, kSilence)});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(3500));
  EXPECT_EQ(fake.target.count(kRead), 1U);
}

/// Two seconds are left of the five that a command may wait when the session is back.
TEST(Reconnect, CommandThatIsSwallowedAfterAnOutageEndsWithTheFirstWait) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = refuse(kRead, kAlways, kSilence)},
               std::chrono::seconds(5));
  *down = true;
  fake.target.drop_connection();
  const auto timer = fake.initiator.reactor.at(
      Reactor::Clock::now() + std::chrono::milliseconds(2500), [&] { *down = false; });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(4900));
  EXPECT_LT(took, std::chrono::milliseconds(7200));
}

TEST(Reconnect, JoinedWriteThatWasSentIsNeverCalledCancelled) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down),
                .handler = [down](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kWrite) return std::nullopt;
                  *down = true;
                  return kHangUp;
                }},
               std::chrono::hours(100));
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const auto data = noise(4096, 1);
  std::vector<ErrorKind> ends;
  const auto note = [&](const std::exception_ptr& failure) {
    ends.push_back(FakeLun::fault([&] { std::rethrow_exception(failure); }).kind());
  };
  spawn(fake.lun->write(context, 0, data), note);
  spawn(fake.lun->write(context, 4096, data), note);
  fake.initiator.pause(std::chrono::milliseconds(300));
  cancellation.request();
  fake.initiator.pause(std::chrono::milliseconds(50));
  EXPECT_THAT(ends, ElementsAre(ErrorKind::kOutcomeUnknown, ErrorKind::kOutcomeUnknown));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(Reconnect, WriteThatWasNotSentIsCancelled) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = {}}, std::chrono::hours(100));
  *down = true;
  fake.target.drop_connection();
  fake.initiator.pause(std::chrono::milliseconds(100));
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const auto data = noise(4096, 1);
  const auto timer = fake.initiator.reactor.at(
      Reactor::Clock::now() + std::chrono::milliseconds(200), [&] { cancellation.request(); });
  const Error error = FakeLun::fault(
      [&] { run_until_done(fake.initiator.reactor, fake.lun->write(context, 0, data)); });
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
}

TEST(Reconnect, SessionsThatEndRightAfterTheirLoginAreCalledTheWorkOfATwin) {
  FakeLun fake({});
  for (int i = 0; i < 4; ++i) {
    while (!fake.lun->connected()) fake.initiator.pause(std::chrono::milliseconds(5));
    fake.initiator.pause(std::chrono::milliseconds(20));
    fake.target.drop_connection();
    fake.initiator.pause(std::chrono::milliseconds(20));
  }
  const SessionState state = fake.lun->state();
  EXPECT_EQ(state.kind, Kind::kLost);
  EXPECT_THAT(state.reason, HasSubstr("another initiator uses this name"));
  EXPECT_THAT(state.reason, HasSubstr("iqn.2026-11.example:initiator"));
  while (!fake.lun->connected()) fake.initiator.pause(std::chrono::milliseconds(5));
  fake.write(0, noise(512, 1));
}

TEST(Reconnect, SessionsThatThisSideGivesUpAreNoTwinsWork) {
  auto down = std::make_shared<std::atomic<bool>>(false);
  auto reads = std::make_shared<std::atomic<int>>(0);
  const auto swallow = [=](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kRead) return std::nullopt;
    *down = ++*reads == 3;
    return kSilence;
  };
  FakeLun fake({.login = refusing(down), .handler = swallow}, std::chrono::seconds(1));
  for (int i = 0; i < 3; ++i) {
    while (!fake.lun->connected()) fake.initiator.pause(std::chrono::milliseconds(5));
    EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  }
  EXPECT_EQ(fake.lun->state().outages, 3U);
  EXPECT_THAT(fake.lun->state().reason, Not(HasSubstr("another initiator")));
  *down = false;
}

Task<std::optional<Error>> read_and_agree_for(RequestContext& context, BlockDevice& device) {
  std::vector<std::byte> found(512);
  co_await device.read(context, 0, found);
  co_return std::nullopt;
}

TEST(Reconnect, LogoutWhileTheGuardReadsEndsAtOnce) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, kSilence)},
               std::chrono::seconds(60));
  // It is what it refers to that a guard must not outlive; here, itself.
  fake.lun->set_resume_guard(
      [text = std::make_shared<std::string>("a guard")](
          RequestContext& c, BlockDevice& device) -> Task<std::optional<Error>> {
        auto verdict = co_await read_and_agree_for(c, device);
        if (*text != "a guard") throw Error(ErrorKind::kInternal, "the guard is gone");
        co_return verdict;
      });
  fake.target.drop_connection();
  while (fake.target.count(kRead) == 0) fake.initiator.pause(std::chrono::milliseconds(5));
  const auto before = std::chrono::steady_clock::now();
  fake.initiator.run([&](RequestContext& c) { return fake.lun->logout(c); });
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST(Reconnect, WhoWaitedLongestIsSentFirstEachTime) {
  constexpr std::size_t kReads = 3;
  auto seen = std::make_shared<std::vector<std::uint64_t>>();
  FakeLun fake({.login = {}, .handler = [seen](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kRead) return std::nullopt;
                  seen->push_back(load_be<std::uint64_t>(std::as_bytes(std::span(cdb.bytes)), 2));
                  if (seen->size() > 2 * kReads) return std::nullopt;
                  return seen->size() % kReads == 0 ? kHangUp : kSilence;
                }});
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  std::vector<std::vector<std::byte>> blocks(kReads, std::vector<std::byte>(512));
  std::vector<Task<void>> reads;
  for (std::size_t i = 0; i < kReads; ++i) {
    reads.push_back(fake.lun->read(context, i * 65536, blocks[i]));
  }
  run_until_done(fake.initiator.reactor, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(reads)));
  EXPECT_THAT(*seen, ElementsAre(0, 128, 256, 0, 128, 256, 0, 128, 256));
}

TEST(Reconnect, JoinedReadsAreSentAgainOneByOne) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp)});
  fake.target.set_bytes(noise(std::size_t{4096} * 512, 3));
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  std::vector<std::byte> first(4096);
  std::vector<std::byte> second(4096);
  std::vector<Task<void>> reads;
  reads.push_back(fake.lun->read(context, 0, first));
  reads.push_back(fake.lun->read(context, 4096, second));
  run_until_done(fake.initiator.reactor, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(reads)));
  const auto all = noise(std::size_t{4096} * 512, 3);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
  EXPECT_TRUE(std::equal(second.begin(), second.end(), all.begin() + 4096));
  EXPECT_EQ(fake.target.count(kRead), 3U);
}

}  // namespace
}  // namespace lunfs::iscsi
