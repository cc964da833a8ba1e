// Commands that are not answered, and buffers that are still in use.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/spawn.h"
#include "iscsi/login.h"
#include "iscsi/session.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeLun;
using testing::FakeTarget;
using testing::flag;
using ::testing::HasSubstr;
using testing::Initiator;
using testing::kAlways;
using testing::kFakeIqn;
using testing::kRead;
using testing::kTestUnitReady;
using testing::kWrite;
using testing::noise;
using testing::options_for;
using testing::refuse;
using testing::refusing;
using testing::status;
using Reply = testing::FakeTarget::Reply;

TEST(Lun, WriteThatNeverGoesTwiceEndsUnknownWhenAborted) {
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, status(0x40))});
  const Error error =
      FakeLun::fault([&] { fake.write(0, noise(512, 1), {.resend = Resend::kNever}); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(Lun, WriteThatNeverGoesTwiceEndsUnknownAtOnceWhenTheConnectionIsLost) {
  Reply hang_up{.sense = {}, .data = {}, .hang_up = true};
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, hang_up)});
  const auto data = noise(512, 1);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, data, {.resend = Resend::kNever}); }).kind(),
            ErrorKind::kOutcomeUnknown);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(Lun, ConnectionLostAtEverySendingEndsTheWriteWhenItsTimeIsUp) {
  Reply hang_up{.sense = {}, .data = {}, .hang_up = true};
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, hang_up)});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), ErrorKind::kUnreachable);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(1800));
  EXPECT_LT(took, std::chrono::seconds(4));
  EXPECT_GT(fake.target.count(kWrite), 1U);
}

/// A target that takes `time` to say that it is too busy for a flush.
FakeTarget::Handler busy_flush(std::chrono::milliseconds time) {
  return [time](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != testing::kSynchronizeCache) return std::nullopt;
    std::this_thread::sleep_for(time);
    return status(0x08);
  };
}

/// A retry is not a new wait.
TEST(Lun, TargetThatIsBusyHoldsNobodyUpLongerThanTheirTime) {
  FakeLun fake({.login = {}, .handler = busy_flush(std::chrono::seconds(1))},
               std::chrono::seconds(8));
  fake.write(0, noise(512, 1));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.flush(); }).kind(), ErrorKind::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  EXPECT_EQ(fake.lun->state().outages, 0U);
}

/// A second try would be unanswered when its time is up, after 4 s.
TEST(Lun, TargetThatTakesLongToSayThatItIsBusyKeepsItsSession) {
  FakeLun fake({.login = {}, .handler = busy_flush(std::chrono::milliseconds(2500))},
               std::chrono::seconds(4));
  fake.write(0, noise(512, 1));
  EXPECT_EQ(FakeLun::fault([&] { fake.flush(); }).kind(), ErrorKind::kUnreachable);
  EXPECT_EQ(fake.target.count(testing::kSynchronizeCache), 1U);
  EXPECT_EQ(fake.lun->state().outages, 0U);
}

/// Only who is busy may be so again.
TEST(Lun, CommandThatIsRefusedLateForAnotherReasonGoesAgain) {
  FakeLun fake({.login = {},
                .handler = [tries = std::make_shared<std::atomic<int>>(0)](
                               const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kWrite || tries->fetch_add(1) != 0) return std::nullopt;
                  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
                  return testing::kLunsChanged;
                }},
               std::chrono::seconds(4));
  const auto data = noise(512, 1);
  fake.write(0, data);
  EXPECT_EQ(fake.target.count(kWrite), 2U);
  EXPECT_EQ(fake.read(0, 512), data);
}

/// The second try, over a session that is lost, ends when too little would be left for such a
/// third.
TEST(Lun, WhatWasBusyOverALostSessionMayGoLaterOverTheNext) {
  FakeLun fake({.login = {},
                .handler = [tries = std::make_shared<std::atomic<int>>(0)](
                               const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] != kWrite) return std::nullopt;
                  const int before = tries->fetch_add(1);
                  if (before == 0) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1800));
                    return status(0x08);
                  }
                  if (before > 1) return std::nullopt;
                  std::this_thread::sleep_for(std::chrono::milliseconds(500));
                  return testing::kHangUp;
                }},
               std::chrono::seconds(4));
  fake.write(0, noise(512, 1));
  EXPECT_EQ(fake.target.count(kWrite), 3U);
}

TEST(Lun, UnansweredCommandEndsTheSession) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, silent)});
  const auto before = std::chrono::steady_clock::now();
  const Error error = FakeLun::fault([&] { fake.read(0, 512); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("did not answer READ(16) for 2 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(6));
  EXPECT_EQ(fake.lun->state().outages, 1U);
  EXPECT_EQ(fake.read(0, 512), std::vector<std::byte>(512));
}

/// As a mount opens its LUN: a command has less time than its caller.
struct PatientLun : FakeLun {
  explicit PatientLun(FakeTarget::Handler handler)
      : FakeLun({.login = {}, .handler = std::move(handler)}, std::chrono::seconds(6), nullptr, 0,
                std::chrono::seconds(2)) {}
};

TEST(Lun, SwallowedReadGoesAgainAndItsCallerMeetsNoError) {
  PatientLun fake(refuse(kRead, 1, testing::kSilence));
  EXPECT_EQ(fake.read(0, 512), std::vector<std::byte>(512));
  EXPECT_EQ(fake.target.count(kRead), 2U);
  EXPECT_EQ(fake.lun->state().outages, 1U);
}

TEST(Lun, SwallowedWriteGoesAgainAndItsCallerMeetsNoError) {
  PatientLun fake(refuse(kWrite, 1, testing::kSilence));
  const auto data = noise(512, 1);
  fake.write(0, data);
  EXPECT_EQ(fake.target.count(kWrite), 2U);
  EXPECT_EQ(fake.read(0, 512), data);
}

TEST(Lun, FlushHasHalfAsMuchTimeAgainAsOtherCommandsAndGoesAgain) {
  FakeLun fake({.login = {}, .handler = refuse(testing::kSynchronizeCache, 1, testing::kSilence)},
               std::chrono::seconds(8), nullptr, 0, std::chrono::seconds(4));
  fake.write(0, noise(512, 1));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(fake.flush(), Error);  // nothing was kept that could be written again
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::seconds(6));
  EXPECT_EQ(fake.target.count(testing::kSynchronizeCache), 2U);
}

/// It came after one second of an outage of one and a half, and has three from then on: two and a
/// half after it was sent.
TEST(Lun, CommandThatCameLateInAnOutageHasAsLongAsAnyOther) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down),
                .handler = [](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] == kRead) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
                  }
                  return std::nullopt;
                }},
               std::chrono::seconds(3));
  *down = true;
  fake.target.drop_connection();
  fake.initiator.pause(std::chrono::milliseconds(1000));
  *down = false;
  ASSERT_FALSE(fake.lun->connected());
  EXPECT_EQ(fake.read(0, 512), std::vector<std::byte>(512));
  EXPECT_EQ(fake.lun->state().outages, 1U);
  EXPECT_EQ(fake.target.count(kRead), 1U);
}

/// Nobody waits longer than they said, whenever the session came back.
TEST(Lun, CommandThatGoesUnansweredAfterAnOutageEndsWhenItsTimeIsUp) {
  const auto down = flag();
  FakeLun fake({.login = refusing(down), .handler = refuse(kRead, kAlways, testing::kSilence)},
               std::chrono::seconds(6));
  *down = true;
  fake.target.drop_connection();
  fake.initiator.wait_until([&] { return !fake.lun->connected(); });
  const auto before = std::chrono::steady_clock::now();
  const auto timer =
      fake.initiator.reactor.at(before + std::chrono::milliseconds(2500), [&] { *down = false; });
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  EXPECT_EQ(fake.target.count(kRead), 1U);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::seconds(6));
  EXPECT_LT(took, std::chrono::seconds(9)) << "as if it had only come when the session did";
}

/// Who passes the bytes on, a proxy for one, may have taken them all and not delivered them yet.
TEST(Lun, ConnectionThatIsGivenUpIsResetThoughItHasSentEverything) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, testing::kSilence)});
  EXPECT_THROW(fake.read(0, 512), Error);
  fake.read(0, 512);  // over the next connection, which is served when the first one has ended
  EXPECT_EQ(fake.target.connections_reset(), 1);
}

TEST(Lun, ConnectionThatIsLoggedOutIsClosedInOrder) {
  FakeTarget target({});
  for (int i = 0; i < 2; ++i) {
    Initiator initiator;
    const auto lun = initiator.open(options_for(target.portal(), kFakeIqn, 1));
    initiator.run([&](RequestContext& c) { return lun->logout(c); });
    EXPECT_EQ(target.connections_reset(), 0);
  }
}

TEST(Lun, TargetThatStopsAnsweringWhileOpeningTimesOut) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  FakeTarget target({.login = {}, .handler = refuse(kTestUnitReady, kAlways, silent)});
  Initiator initiator;
  LunOptions options = options_for(target.portal(), kFakeIqn, 1);
  options.login_timeout = std::chrono::seconds(1);
  const Error error = initiator.open_error(options);
  EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  EXPECT_THAT(error.message(), HasSubstr("within the login timeout"));
}

Task<void> write_some(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                      std::vector<std::byte>& data, std::vector<ErrorKind>& ends) {
  ErrorKind end = ErrorKind::kInternal;
  try {
    co_await lun.write(context, offset, data);
  } catch (const Error& error) {
    end = error.kind();
  }
  // As soon as the write has ended the buffer is the caller's again.
  data.clear();
  data.shrink_to_fit();
  ends.push_back(end);
}

TEST(Lun, RefusedWriteGivesItsBufferBackOnlyWhenNothingReadsItAnyMore) {
  // Answered from the header alone, while libiscsi still has most of each write to send.
  Reply early = check_condition(7, 0x27, 0x00);
  early.early = true;
  FakeLun fake(
      {.login = {},
       .handler = refuse(kWrite, kAlways, early),
       .blocks = 65536,
       .unsolicited_data = true},
      std::chrono::seconds(30));  // on a loaded machine 64 MiB in small segments take a while
  std::vector<std::vector<std::byte>> buffers(64, noise(1 << 20, 1));
  std::vector<ErrorKind> ends;
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  std::vector<Task<void>> writes;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    writes.push_back(write_some(*fake.lun, context, (i % 8) << 20U, buffers[i], ends));
  }
  run_until_done(fake.initiator.reactor, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(writes)));
  EXPECT_EQ(ends, std::vector<ErrorKind>(buffers.size(), ErrorKind::kReadOnly));
  EXPECT_TRUE(fake.lun->connected());
  EXPECT_EQ(fake.read(0, 512), std::vector<std::byte>(512));
}

TEST(Lun, WaitingCommandLeavesWhenItsTimeIsUpAndSentOnesRunOn) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, silent)});
  RequestContext patient = RequestContext::within(std::chrono::seconds(30));
  RequestContext hasty = RequestContext::within(std::chrono::milliseconds(200));
  std::vector<std::byte> out(512);
  int ended = 0;
  for (std::size_t i = 0; i < 128; ++i) {
    spawn(fake.lun->read(patient, 0, out), [&](const std::exception_ptr&) { ++ended; });
  }
  const Error error = FakeLun::fault(
      [&] { run_until_done(fake.initiator.reactor, fake.lun->read(hasty, 0, out)); });
  EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  EXPECT_EQ(ended, 0);
  EXPECT_TRUE(fake.lun->connected());
  fake.initiator.wait_until([&] { return ended == 128; });  // the silence ends the session
}

Task<void> end_of(Task<CommandResult> command) { static_cast<void>(co_await command); }

/// A session by itself, without a SessionKeeper.
struct BareSession {
  explicit BareSession(FakeTarget::Options options) : target(std::move(options)) {}

  FakeTarget target;
  Initiator initiator;
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  LoginRequest login{
      target.portal(), {"iqn.2026-11.example:initiator", Iqn::parse(kFakeIqn), {}}, ""};
  Session session{
      run_until_done(initiator.reactor, log_in(context, initiator.reactor, initiator.pool, login)),
      1, std::chrono::seconds(18)};
};

TEST(Session, CommandThatComesTooLateToBeSentFails) {
  BareSession fake({});
  const auto sent = [&](std::chrono::seconds left) {
    ScsiCommand command{.cdb = cdb::test_unit_ready()};
    command.send_by = RequestContext::Clock::now() + left;
    run_until_done(fake.initiator.reactor, end_of(fake.session.execute(fake.context, command)));
  };
  const Error error = FakeLun::fault([&] { sent(std::chrono::seconds(0)); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("could not be sent"));
  EXPECT_EQ(fake.target.count(kTestUnitReady), 0U);
  sent(std::chrono::seconds(5));
  EXPECT_EQ(fake.target.count(kTestUnitReady), 1U);
}

TEST(Session, CommandWhoseTimeIsUpInTheLineIsNotSentAndTheSessionStays) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  BareSession fake({.login = {}, .handler = refuse(kTestUnitReady, kAlways, silent)});
  const ScsiCommand command{.cdb = cdb::test_unit_ready()};
  std::size_t ended = 0;
  for (std::size_t i = 0; i < Session::kMaxInFlight; ++i) {
    spawn(end_of(fake.session.execute(fake.context, command)),
          [&](const std::exception_ptr&) { ++ended; });
  }
  ScsiCommand late = command;
  late.send_by = RequestContext::Clock::now() + std::chrono::milliseconds(300);
  const Error error = FakeLun::fault([&] {
    run_until_done(fake.initiator.reactor, end_of(fake.session.execute(fake.context, late)));
  });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("could not be sent"));
  EXPECT_FALSE(fake.session.connection().ended());
  EXPECT_EQ(ended, 0U);
  fake.session.connection().end(Error(ErrorKind::kUnreachable, "the test is over"));
  fake.initiator.wait_until([&] { return ended == Session::kMaxInFlight; });
}

}  // namespace
}  // namespace lunfs::iscsi
