// Which commands a LUN is sent, by what it can do.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeLun;
using testing::FakeTarget;
using ::testing::HasSubstr;
using testing::Initiator;
using testing::kAlways;
using testing::kFakeIqn;
using testing::kRead;
using testing::kSynchronizeCache;
using testing::kUnmap;
using testing::kWrite;
using testing::kWriteSame;
using testing::noise;
using testing::options_for;
using testing::refuse;
using Reply = testing::FakeTarget::Reply;

TEST(Lun, LargeRequestsAreSplitAtTheTargetsLimit) {
  FakeLun fake({.login = {}, .handler = {}, .blocks = 8192, .max_transfer_blocks = 16});
  EXPECT_EQ(fake.lun->geometry().max_transfer_bytes, 8192U);
  const auto data = noise(3 * 8192 + 512, 5);
  fake.write(1024, data);
  EXPECT_EQ(fake.target.count(kWrite), 4U);
  EXPECT_EQ(fake.read(1024, data.size()), data);
  EXPECT_EQ(fake.target.count(kRead), 4U);
}

TEST(Lun, LargeRequestsAreSplitAt256KiB) {
  FakeLun fake({.login = {}, .handler = {}, .blocks = 8192});
  const auto data = noise((2 << 20) + 512, 5);
  fake.write(0, data);
  EXPECT_EQ(fake.target.count(kWrite), 9U);
  EXPECT_EQ(fake.read(0, data.size()), data);
  EXPECT_EQ(fake.target.count(kRead), 9U);
}

TEST(Lun, FlushIsSynchronizeCacheWhereThereIsACache) {
  FakeLun cached({.login = {}, .handler = {}, .write_cache = true});
  cached.initiator.run([&](RequestContext& c) { return cached.lun->flush(c); });
  EXPECT_EQ(cached.target.count(kSynchronizeCache), 1U);
  FakeLun uncached({.login = {}, .handler = {}, .write_cache = false});
  uncached.initiator.run([&](RequestContext& c) { return uncached.lun->flush(c); });
  EXPECT_EQ(uncached.target.count(kSynchronizeCache), 0U);
}

TEST(Lun, CacheMayBeTurnedOnWhileOpen) {
  FakeLun fake({.login = {},
                .handler = refuse(kWrite, 1, check_condition(6, 0x2a, 0x01)),
                .write_cache = false});
  fake.write(0, noise(512, 1));
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
  EXPECT_EQ(fake.target.count(kSynchronizeCache), 1U);
}

TEST(Lun, TargetWithoutSynchronizeCacheIsAskedOnce) {
  FakeLun fake(
      {.login = {}, .handler = refuse(kSynchronizeCache, kAlways, check_condition(5, 0x20, 0x00))});
  for (int i = 0; i < 3; ++i) {
    fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
  }
  EXPECT_EQ(fake.target.count(kSynchronizeCache), 1U);
}

TEST(Lun, FailedFlushIsAnError) {
  FakeLun fake(
      {.login = {}, .handler = refuse(kSynchronizeCache, kAlways, check_condition(3, 0x0c, 0x00))});
  EXPECT_EQ(FakeLun::fault([&] {
              fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
            }).kind(),
            ErrorKind::kIo);
}

TEST(Lun, DurableWriteUsesFuaOrFlushes) {
  std::atomic<int> fua = 0;
  const auto count_fua = [&](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] == kWrite && cdb.bytes[1] == 0x08) ++fua;
    return std::nullopt;
  };
  FakeLun with({.login = {}, .handler = count_fua, .fua = true});
  with.write(0, noise(512, 1), {.fua = true});
  EXPECT_EQ(fua, 1);
  EXPECT_EQ(with.target.count(kSynchronizeCache), 0U);
  FakeLun without({.login = {}, .handler = count_fua, .fua = false});
  without.write(0, noise(512, 1), {.fua = true});
  EXPECT_EQ(fua, 1);
  EXPECT_EQ(without.target.count(kSynchronizeCache), 1U);
}

TEST(Lun, WriteProtectedOneIsReadOnly) {
  FakeLun fake({.login = {}, .handler = {}, .write_protected = true});
  EXPECT_TRUE(fake.lun->geometry().read_only);
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), ErrorKind::kReadOnly);
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
  EXPECT_EQ(fake.target.count(kWrite) + fake.target.count(kSynchronizeCache), 0U);
}

void zero(FakeLun& fake, std::uint64_t offset, std::uint64_t length, bool may_unmap) {
  fake.initiator.run(
      [&](RequestContext& c) { return fake.lun->write_zeroes(c, offset, length, may_unmap); });
}

TEST(Lun, ZeroesGoByWriteSameWithinItsLimit) {
  FakeLun fake({.login = {}, .handler = {}, .thin = true});
  fake.target.set_bytes(noise(4096 * 512, 1));
  zero(fake, 512, 2000 * 512, true);  // the fake's limit is 1000 blocks
  EXPECT_EQ(fake.target.count(kWriteSame), 2U);
  EXPECT_EQ(fake.target.count(kWrite), 0U);
  EXPECT_EQ(fake.read(512, 2000 * 512), std::vector<std::byte>(2000 * 512));
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
}

TEST(Lun, ZeroesAreWrittenWhereWriteSameIsUnknown) {
  for (const bool thin : {false, true}) {
    FakeLun fake({.login = {},
                  .handler = refuse(kWriteSame, kAlways, check_condition(5, 0x20, 0x00)),
                  .thin = thin});
    fake.target.set_bytes(noise(4096 * 512, 1));
    zero(fake, 0, 4096 * 512, true);
    EXPECT_EQ(fake.target.bytes(), std::vector<std::byte>(4096 * 512));
    zero(fake, 0, 512, true);
    EXPECT_EQ(fake.target.count(kWriteSame), thin ? 2U : 0U);  // with UNMAP, without, never again
  }
}

TEST(Lun, ZeroesThatMustKeepTheirSpaceAreNotUnmapped) {
  std::atomic<int> unmapping = 0;
  FakeLun fake({.login = {},
                .handler = [&](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] == kWriteSame && (cdb.bytes[1] & 0x08) != 0) ++unmapping;
                  return std::nullopt;
                },
                .thin = true});
  zero(fake, 0, 512, false);
  EXPECT_EQ(unmapping, 0);
  zero(fake, 0, 512, true);
  EXPECT_EQ(unmapping, 1);
}

TEST(Lun, UnmapThatTheTargetRefusesChangesNothing) {
  FakeLun fake({.login = {},
                .handler = refuse(kUnmap, kAlways, check_condition(5, 0x24, 0x00)),
                .thin = true});
  EXPECT_TRUE(fake.lun->geometry().can_unmap);
  fake.write(0, noise(512, 1));
  fake.initiator.run([&](RequestContext& c) { return fake.lun->unmap(c, 0, 512); });
  EXPECT_EQ(fake.target.count(kUnmap), 1U);
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
}

TEST(Lun, ComparesAndWritesInOneCommand) {
  FakeLun fake({.login = {}, .handler = {}, .max_compare_and_write = 1});
  EXPECT_TRUE(fake.lun->geometry().can_compare_and_write);
  const auto old_bytes = noise(512, 1);
  const auto new_bytes = noise(512, 2);
  fake.write(1024, old_bytes);
  const auto swap = [&](ConstIoSpan expected, ConstIoSpan in) {
    return fake.initiator.run(
        [&](RequestContext& c) { return fake.lun->compare_and_write(c, 1024, expected, in); });
  };
  EXPECT_FALSE(swap(new_bytes, old_bytes));
  EXPECT_EQ(fake.read(1024, 512), old_bytes);
  EXPECT_TRUE(swap(old_bytes, new_bytes));
  EXPECT_EQ(fake.read(1024, 512), new_bytes);
}

TEST(Lun, CompareAndWriteBeyondItsLimitIsUnsupported) {
  FakeLun fake({.login = {}, .handler = {}, .max_compare_and_write = 1});
  const auto bytes = noise(1024, 1);
  EXPECT_EQ(FakeLun::fault([&] {
              fake.initiator.run([&](RequestContext& c) {
                return fake.lun->compare_and_write(c, 0, bytes, bytes);
              });
            }).kind(),
            ErrorKind::kUnsupported);
}

TEST(Lun, BlocksOfOtherSizesAreUnsupported) {
  FakeTarget target({.login = {}, .handler = {}, .block_size_bytes = 520});
  Initiator initiator;
  const Error error = initiator.open_error(options_for(target.portal(), kFakeIqn, 1));
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("blocks of 520 bytes"));
}

}  // namespace
}  // namespace lunfs::iscsi
