// Writes that cannot be made again as they should.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/iscsi/fake_journal.h"

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeLun;
using testing::FakeTarget;
using testing::Flag;
using testing::flag;
using ::testing::HasSubstr;
using testing::JournalledLun;
using testing::kAlways;
using testing::kJournalBytes;
using testing::kSilence;
using testing::kSynchronizeCache;
using testing::kWrite;
using testing::lba_of;
using testing::noise;
using testing::other_lun;
using testing::refuse;
using testing::status;
using Reply = testing::FakeTarget::Reply;

/// `reply` to writes at `lba` while `on`.
FakeTarget::Handler at_lba(std::uint64_t lba, const Flag& on, const Reply& reply) {
  return [=](const Cdb& cdb) -> std::optional<Reply> {
    if (!*on || cdb.bytes[0] != kWrite || lba_of(cdb) != lba) return std::nullopt;
    return reply;
  };
}

TEST(JournalFaults, ChangeThatTheLunRefusesIsToldAndTheOthersAreWritten) {
  const Flag bad = flag();
  JournalledLun fake({.login = {}, .handler = at_lba(8, bad, check_condition(3, 0x0c, 0x00))});
  fake.write(0, noise(512, 1));
  fake.write(4096, noise(512, 2));
  fake.write(8192, noise(512, 3));
  *bad = true;
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
  EXPECT_EQ(fake.read(8192, 512), noise(512, 3));
  EXPECT_EQ(fake.lun->losses(), 1U);
  EXPECT_THAT(FakeLun::fault([&] { fake.flush(); }).message(), HasSubstr("may be lost"));
  fake.flush();
  EXPECT_EQ(fake.lun->journal().changes, 0U);
}

TEST(JournalFaults, WhatIsForgottenIsNotWrittenAgainAndALossIsTold) {
  JournalledLun fake({});
  fake.write(0, noise(4096, 1));
  fake.lun->forget_unflushed("a test");
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 4096), std::vector<std::byte>(4096));
  EXPECT_EQ(fake.lun->journal().replays, 0U);
  EXPECT_THAT(FakeLun::fault([&] { fake.flush(); }).message(), HasSubstr("may be lost"));
}

TEST(JournalFaults, WriteThatIsTakenBackOnItsWayIsNotWrittenAgain) {
  Revocation revocation;
  JournalledLun fake({.login = {}, .handler = [&](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] == kWrite) {
                          revocation.revoke(Error(ErrorKind::kIo, "another LV has the extents"));
                        }
                        return std::nullopt;
                      }});
  const auto data = noise(4096, 1);
  fake.initiator.run([&](RequestContext& c) {
    c.revocation = &revocation;
    return fake.lun->write(c, 0, data);  // its caller looks whether it was taken back
  });
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 4096), std::vector<std::byte>(4096));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(JournalFaults, SessionThatIsLostInTheMiddleCostsNothing) {
  auto target = std::make_shared<std::atomic<FakeTarget*>>(nullptr);
  auto left = std::make_shared<std::atomic<int>>(kAlways);
  JournalledLun fake({.login = {}, .handler = [=](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] != kWrite || left->fetch_sub(1) != 0) return std::nullopt;
                        target->load()->lose_cache();
                        return Reply{.sense = {}, .data = {}, .hang_up = true};
                      }});
  *target = &fake.target;
  const auto data = noise(64 * 1024, 1);
  for (std::size_t at = 0; at < data.size(); at += 1024) {
    fake.write(at, ConstIoSpan(data).subspan(at, 1024));
    fake.write(at, ConstIoSpan(data).subspan(at, 1024));
  }
  *left = 5;
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, data.size()), data);
  EXPECT_GE(fake.target.session_ids().size(), 3U);
  fake.expect_durable(0, data);
}

TEST(JournalFaults, AnotherLunGetsNothing) {
  const auto other = flag();
  JournalledLun fake({.login = {}, .handler = other_lun(other)});
  fake.write(0, noise(512, 1));
  *other = true;
  fake.target.lose_power();
  EXPECT_THAT(FakeLun::fault([&] { fake.read(0, 512); }).message(), HasSubstr("another LUN"));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
  EXPECT_EQ(fake.lun->losses(), 0U);
  *other = false;
  while (!fake.lun->connected()) {
    fake.initiator.run([&](RequestContext& c) {
      return fake.initiator.reactor.sleep_until(
          c, RequestContext::Clock::now() + std::chrono::milliseconds(20));
    });
  }
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
  fake.expect_durable(0, noise(512, 1));
}

TEST(JournalFaults, GuardThatDoesNotAgreeKeepsEverythingBack) {
  JournalledLun fake({});
  fake.lun->set_resume_guard([](RequestContext&, BlockDevice&) -> Task<std::optional<Error>> {
    co_return Error(ErrorKind::kIo, "it was changed");
  });
  fake.write(0, noise(512, 1));
  fake.target.lose_power();
  EXPECT_THAT(FakeLun::fault([&] { fake.read(0, 512); }).message(), HasSubstr("it was changed"));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(JournalFaults, FullOneThatCannotBeFlushedIsGivenUpAndALossIsTold) {
  JournalledLun fake({.login = {},
                      .handler = refuse(kSynchronizeCache, kAlways, check_condition(3, 0x0c, 0x00)),
                      .blocks = 16384});
  const auto data = noise(3 * kJournalBytes, 1);
  constexpr std::size_t kPiece = 65536;
  for (std::size_t at = 0; at < data.size(); at += kPiece) {
    fake.write(at, ConstIoSpan(data).subspan(at, kPiece));
  }
  EXPECT_FALSE(fake.lun->journal().complete);
  EXPECT_LE(fake.target.count(kSynchronizeCache), 4U);
  fake.target.lose_power();
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 1U);
}

TEST(JournalFaults, FlushThatSucceedsMakesTheJournalCompleteAgain) {
  const Flag refusing = flag(true);
  JournalledLun fake({.login = {},
                      .handler = [refusing](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] != kSynchronizeCache || !*refusing) return std::nullopt;
                        return check_condition(3, 0x0c, 0x00);
                      },
                      .blocks = 16384});
  const auto data = noise(2 * kJournalBytes, 1);
  for (std::size_t at = 0; at < data.size(); at += 65536) {
    fake.write(at, ConstIoSpan(data).subspan(at, 65536));
  }
  *refusing = false;
  fake.flush();
  EXPECT_TRUE(fake.lun->journal().complete);
  fake.write(0, noise(512, 2));
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
  EXPECT_EQ(fake.lun->losses(), 0U);
}

TEST(JournalFaults, WaitForAFullJournalEndsWithItsCaller) {
  JournalledLun fake(
      {.login = {}, .handler = refuse(kSynchronizeCache, kAlways, kSilence), .blocks = 16384},
      std::chrono::seconds(20));
  const auto data = noise(kJournalBytes, 1);
  fake.write(0, data);
  const auto before = std::chrono::steady_clock::now();
  RequestContext hasty = RequestContext::within(std::chrono::milliseconds(200));
  const Error error = FakeLun::fault([&] {
    run_until_done(fake.initiator.reactor, fake.lun->write(hasty, 0, ConstIoSpan(data).first(512)));
  });
  EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST(JournalFaults, FlushThatIsSwallowedHoldsUpAWriteForTheTimeoutOnly) {
  JournalledLun fake(
      {.login = {}, .handler = refuse(kSynchronizeCache, kAlways, kSilence), .blocks = 16384});
  const auto data = noise(kJournalBytes, 1);
  fake.write(0, data);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, ConstIoSpan(data).first(512)); }).kind(),
            ErrorKind::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(7));
}

TEST(JournalFaults, WriteHasWhatItsWaitForRoomHasLeftOfItsTime) {
  constexpr std::uint64_t kBlock = 4096;
  std::atomic<int> writes = 0;
  JournalledLun fake({.login = {},
                      .handler = [&](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] == kSynchronizeCache) {
                          std::this_thread::sleep_for(std::chrono::milliseconds(3000));
                        }
                        if (cdb.bytes[0] != kWrite || lba_of(cdb) != kBlock) return std::nullopt;
                        ++writes;
                        return kSilence;
                      },
                      .blocks = 16384},
                     std::chrono::seconds(5));
  const auto data = noise(kJournalBytes, 1);
  fake.write(0, data);
  const auto before = std::chrono::steady_clock::now();
  const Error error =
      FakeLun::fault([&] { fake.write(kBlock * 512, ConstIoSpan(data).first(512)); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_EQ(writes, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(7500));
}

TEST(JournalFaults, ChangeThatIsNeverAnsweredIsToldAndDoesNotKeepTheLunAway) {
  for (const Reply& reply : {kSilence, status(0x08)}) {
    const Flag bad = flag();
    JournalledLun fake({.login = {}, .handler = at_lba(8, bad, reply)}, std::chrono::seconds(1));
    fake.write(0, noise(512, 1));
    fake.write(4096, noise(512, 2));
    fake.write(8192, noise(512, 3));
    *bad = true;
    fake.target.lose_power();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!fake.lun->connected() || fake.lun->losses() == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      FakeLun::fault([&] { fake.read(0, 512); });
      fake.initiator.run([&](RequestContext& c) {
        return fake.initiator.reactor.sleep_until(
            c, RequestContext::Clock::now() + std::chrono::milliseconds(50));
      });
    }
    EXPECT_EQ(fake.read(0, 512), noise(512, 1));
    EXPECT_EQ(fake.read(8192, 512), noise(512, 3));
    EXPECT_EQ(fake.lun->losses(), 1U);
  }
}

TEST(JournalFaults, EndOfTheMountDoesNotWaitForAReplay) {
  const Flag bad = flag();
  JournalledLun fake({.login = {}, .handler = at_lba(0, bad, kSilence)}, std::chrono::seconds(30));
  fake.write(0, noise(512, 1));
  *bad = true;
  fake.target.lose_power();
  RequestContext hasty = RequestContext::within(std::chrono::milliseconds(500));
  FakeLun::fault([&] {
    std::vector<std::byte> bytes(512);
    run_until_done(fake.initiator.reactor, fake.lun->read(hasty, 0, bytes));
  });
  const auto before = std::chrono::steady_clock::now();
  fake.initiator.run([&](RequestContext& c) { return fake.lun->logout(c); });
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

}  // namespace
}  // namespace lunfs::iscsi
