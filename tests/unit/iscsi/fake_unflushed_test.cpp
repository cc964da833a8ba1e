// What was acknowledged and not flushed when a session was lost.
#include <gmock/gmock.h>

#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeLun;
using ::testing::HasSubstr;
using testing::kHangUp;
using testing::kRead;
using testing::kSynchronizeCache;
using testing::kWrite;
using testing::kWriteSame;
using testing::noise;
using testing::refuse;

TEST(Unflushed, UnflushedWritesMakeTheNextFlushFailOnce) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp)});
  fake.write(0, noise(512, 1));
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 1U);
  const auto flush = [&] {
    fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
  };
  const Error error = FakeLun::fault(flush);
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("may be lost"));
  flush();
}

TEST(Unflushed, FlushThatWasUnderWayWhenTheSessionWasLostDoesNotClaimSuccess) {
  FakeLun fake({.login = {}, .handler = refuse(kSynchronizeCache, 1, kHangUp)});
  fake.write(0, noise(512, 1));
  EXPECT_THROW(fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); }), Error);
}

TEST(Unflushed, ZeroesThatWereNotFlushedCountAsWrites) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp), .thin = true});
  fake.initiator.run([&](RequestContext& c) { return fake.lun->write_zeroes(c, 0, 4096, true); });
  ASSERT_GT(fake.target.count(kWriteSame), 0U);
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 1U);
}

TEST(Unflushed, FlushedWritesAreNotLost) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp)});
  fake.write(0, noise(512, 1));
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 0U);
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
}

TEST(Unflushed, NothingIsLostWhereThereIsNoCache) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, kHangUp), .write_cache = false});
  fake.write(0, noise(512, 1));
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 0U);
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
}

/// The read meets `first`; then the LUN is looked at, and tells that of a write that it had
/// acknowledged. Nobody has asked anything of it but lunfs itself.
void expect_late_failure_told(const testing::FakeTarget::Reply& first) {
  auto late = std::make_shared<std::atomic<bool>>(false);
  const auto reads = refuse(kRead, 1, first);
  FakeLun fake({.login = {},
                .handler = [=](const Cdb& cdb) -> std::optional<testing::FakeTarget::Reply> {
                  if (cdb.bytes[0] != testing::kReadCapacity || !late->exchange(false))
                    return reads(cdb);
                  auto reply = testing::check_condition(3, 0x0c, 0x00);
                  reply.sense[0] = std::byte{0x71};  // of an earlier command
                  return reply;
                },
                .write_cache = false});
  fake.write(0, noise(512, 1));
  *late = true;
  fake.read(0, 512);
  EXPECT_FALSE(*late);
  EXPECT_TRUE(fake.lun->failed_late());
  EXPECT_THAT(FakeLun::fault([&] { fake.flush(); }).message(), HasSubstr("03/0c/00"));
}

TEST(Unflushed, LateFailureThatANewSessionIsToldMakesFlushesFail) {
  expect_late_failure_told(kHangUp);
}

TEST(Unflushed, LateFailureThatALookIsToldMakesFlushesFail) {
  expect_late_failure_told(testing::check_condition(6, 0x2a, 0x09));
}

TEST(Unflushed, CacheThatAModeChangeMayHaveSwitchedOnCounts) {
  FakeLun fake(
      {.login = {},
       .handler = [writes = refuse(kWrite, 1, testing::check_condition(6, 0x2a, 0x01)),
                   reads = refuse(kRead, 1, kHangUp)](
                      const Cdb& cdb) { return cdb.bytes[0] == kRead ? reads(cdb) : writes(cdb); },
       .write_cache = false});
  fake.write(0, noise(512, 1));
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->losses(), 1U);
}

}  // namespace
}  // namespace lunfs::iscsi
