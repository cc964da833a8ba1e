// Commands against a LUN whose answers the test makes.
#include <gmock/gmock.h>

#include <atomic>

#include "base/spawn.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeTarget;
using ::testing::HasSubstr;
using testing::Initiator;
using testing::noise;
using testing::options_for;
using Reply = FakeTarget::Reply;

constexpr const char* kIqn = "iqn.2026-11.example:fake";
constexpr std::uint8_t kRead = 0x88;
constexpr std::uint8_t kWrite = 0x8a;
constexpr std::uint8_t kSynchronizeCache = 0x35;
constexpr std::uint8_t kUnmap = 0x42;
constexpr std::uint8_t kWriteSame = 0x93;
constexpr std::uint8_t kTestUnitReady = 0x00;

Reply check_condition(std::uint8_t key, std::uint8_t asc, std::uint8_t ascq) {
  return {.status = 2, .sense = FakeTarget::sense(key, asc, ascq), .data = {}};
}
Reply status(std::uint8_t value) { return {.status = value, .sense = {}, .data = {}}; }

/// `reply` to the first `times` commands with `opcode`.
FakeTarget::Handler refuse(std::uint8_t opcode, int times, Reply reply) {
  auto left = std::make_shared<std::atomic<int>>(times);
  return [=](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != opcode || left->fetch_sub(1) <= 0) return std::nullopt;
    return reply;
  };
}
constexpr int kAlways = 1 << 30;

class FakeLun {
 public:
  explicit FakeLun(FakeTarget::Options options) : target(std::move(options)) {
    LunOptions lun_options = options_for(target.portal(), kIqn, 1);
    lun_options.command_timeout = std::chrono::seconds(2);
    lun_options.retries.first_pause = std::chrono::milliseconds(1);
    lun_options.retries.longest_pause = std::chrono::milliseconds(4);
    lun = initiator.open(lun_options);
  }

  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size);
    initiator.run([&](RequestContext& c) { return lun->read(c, offset, bytes); });
    return bytes;
  }
  void write(std::uint64_t offset, ConstIoSpan bytes, WriteFlags flags = {}) {
    initiator.run([&](RequestContext& c) { return lun->write(c, offset, bytes, flags); });
  }
  template <typename Work>
  static Error fault(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::kInternal, "no fault"};
  }

  FakeTarget target;
  Initiator initiator;
  std::unique_ptr<LunDevice> lun;
};

TEST(Lun, RetriesWhatPasses) {
  const Reply answers[] = {check_condition(6, 0x29, 0x00), check_condition(2, 0x04, 0x01),
                           check_condition(0xb, 0x47, 0x00), status(0x08), status(0x28)};
  for (const Reply& answer : answers) {
    FakeLun fake({.login = {}, .handler = refuse(kRead, 3, answer)});
    const auto data = noise(4096, 1);
    fake.write(0, data);
    EXPECT_EQ(fake.read(0, 4096), data);
    EXPECT_EQ(fake.target.count(kRead), 4U);
    EXPECT_EQ(fake.lun->stats().retries, 3U);
  }
}

TEST(Lun, GivesUpInTheEnd) {
  const struct {
    Reply answer;
    std::size_t commands;
    ErrorKind kind;
    const char* text;
  } cases[] = {
      {check_condition(6, 0x29, 0x00), 11, ErrorKind::kIo, "UNIT ATTENTION 06/29/00"},
      {check_condition(0xb, 0x47, 0x00), 4, ErrorKind::kIo, "ABORTED COMMAND 0b/47/00"},
      {check_condition(2, 0x04, 0x01), 21, ErrorKind::kBusy, "NOT READY 02/04/01"},
      {status(0x08), 21, ErrorKind::kBusy, "BUSY"},
      {status(0x28), 21, ErrorKind::kBusy, "TASK SET FULL"},
      {status(0x18), 1, ErrorKind::kReserved, "RESERVATION CONFLICT"},
      {check_condition(3, 0x11, 0x00), 1, ErrorKind::kIo,
       "MEDIUM ERROR 03/11/00 unrecovered read error"},
      {check_condition(2, 0x04, 0x03), 1, ErrorKind::kBusy, "manual intervention"},
  };
  for (const auto& c : cases) {
    FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, c.answer)});
    const Error error = FakeLun::fault([&] { fake.read(512, 512); });
    EXPECT_EQ(error.kind(), c.kind) << c.text;
    EXPECT_THAT(error.message(), HasSubstr(c.text));
    EXPECT_THAT(error.message(), HasSubstr("reading 512 bytes at 512"));
    EXPECT_EQ(fake.target.count(kRead), c.commands) << c.text;
    EXPECT_TRUE(fake.lun->connected());
  }
}

TEST(Lun, RefusedWritesHaveTheirKind) {
  const struct {
    Reply answer;
    ErrorKind kind;
  } cases[] = {
      {check_condition(7, 0x27, 0x00), ErrorKind::kReadOnly},
      {check_condition(7, 0x27, 0x07), ErrorKind::kNoSpace},
      {check_condition(3, 0x0c, 0x00), ErrorKind::kIo},
      {status(0x18), ErrorKind::kReserved},
  };
  for (const auto& c : cases) {
    FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, c.answer)});
    EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), c.kind);
  }
}

TEST(Lun, RecoveredErrorIsASuccess) {
  Reply recovered = check_condition(1, 0x18, 0x00);
  recovered.data = noise(512, 3);
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, recovered)});
  EXPECT_EQ(fake.read(0, 512), noise(512, 3));
}

TEST(Lun, ShortReadIsAnErrorNeverAShortSuccess) {
  Reply half{.sense = {}, .data = noise(2048, 1), .underflow = 2048};
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, half)});
  const Error error = FakeLun::fault([&] { fake.read(0, 4096); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("transferred 2048 of 4096 bytes"));
}

TEST(Lun, TargetFailureIsAnErrorNeverASuccess) {
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, Reply{.response = 1})});
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), ErrorKind::kIo);
  EXPECT_EQ(
      FakeLun::fault([&] { fake.write(0, noise(512, 1), {.resend = Resend::kNever}); }).kind(),
      ErrorKind::kOutcomeUnknown);
}

TEST(Lun, ReadWithLessDataThanToldIsAnError) {
  Reply half{.data = noise(2048, 1), .no_residual = true};
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, half)});
  const Error error = FakeLun::fault([&] { fake.read(0, 4096); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("transferred 2048 of 4096 bytes"));
}

TEST(Lun, DataOutOfPlaceEndsTheSession) {
  Reply misplaced{.data = noise(512, 1), .data_offset = 512};
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, misplaced)});
  const Error error = FakeLun::fault([&] { fake.read(0, 1024); });
  EXPECT_THAT(error.kind(), ::testing::AnyOf(ErrorKind::kIo, ErrorKind::kUnreachable));
  EXPECT_FALSE(fake.lun->connected());
}

TEST(Lun, ShortWriteIsAnError) {
  Reply half{.sense = {}, .data = {}, .underflow = 512};
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, half)});
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(1024, 1)); }).kind(), ErrorKind::kIo);
}

TEST(Lun, BusyBeyondTheDeadlineIsBusy) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, status(0x08))});
  RequestContext context = RequestContext::within(std::chrono::milliseconds(20));
  std::vector<std::byte> out(512);
  const Error error = FakeLun::fault(
      [&] { run_until_done(fake.initiator.reactor, fake.lun->read(context, 0, out)); });
  EXPECT_THAT(error.kind(), ::testing::AnyOf(ErrorKind::kBusy, ErrorKind::kTimedOut));
}

TEST(Lun, LargeRequestsAreSplitAtTheTargetsLimit) {
  FakeLun fake({.login = {}, .handler = {}, .blocks = 8192, .max_transfer_blocks = 16});
  EXPECT_EQ(fake.lun->geometry().max_transfer_bytes, 8192U);
  const auto data = noise(3 * 8192 + 512, 5);
  fake.write(1024, data);
  EXPECT_EQ(fake.target.count(kWrite), 4U);
  EXPECT_EQ(fake.read(1024, data.size()), data);
  EXPECT_EQ(fake.target.count(kRead), 4U);
}

TEST(Lun, LargeRequestsAreSplitAtOneMebibyte) {
  FakeLun fake({.login = {}, .handler = {}, .blocks = 8192});
  const auto data = noise((2 << 20) + 512, 5);
  fake.write(0, data);
  EXPECT_EQ(fake.target.count(kWrite), 3U);
  EXPECT_EQ(fake.read(0, data.size()), data);
  EXPECT_EQ(fake.target.count(kRead), 3U);
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

TEST(Lun, WriteThatNeverGoesTwiceEndsUnknownWhenAborted) {
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, status(0x40))});
  const Error error =
      FakeLun::fault([&] { fake.write(0, noise(512, 1), {.resend = Resend::kNever}); });
  EXPECT_EQ(error.kind(), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(Lun, ConnectionLostInFlightEndsEveryCommandAtOnce) {
  Reply hang_up{.sense = {}, .data = {}, .hang_up = true};
  FakeLun fake({.login = {}, .handler = refuse(kWrite, kAlways, hang_up)});
  const auto data = noise(512, 1);
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, data, {.resend = Resend::kNever}); }).kind(),
            ErrorKind::kOutcomeUnknown);
  EXPECT_FALSE(fake.lun->connected());
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, data); }).kind(), ErrorKind::kUnreachable);
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  fake.initiator.run([&](RequestContext& c) { return fake.lun->logout(c); });
}

TEST(Lun, UnansweredCommandEndsTheSession) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  FakeLun fake({.login = {}, .handler = refuse(kRead, 1, silent)});
  const auto before = std::chrono::steady_clock::now();
  const Error error = FakeLun::fault([&] { fake.read(0, 512); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("did not answer READ(16) for 2 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(6));
  EXPECT_FALSE(fake.lun->connected());
}

TEST(Lun, TargetThatStopsAnsweringWhileOpeningTimesOut) {
  Reply silent{.sense = {}, .data = {}, .say_nothing = true};
  FakeTarget target({.login = {}, .handler = refuse(kTestUnitReady, kAlways, silent)});
  Initiator initiator;
  LunOptions options = options_for(target.portal(), kIqn, 1);
  options.login_timeout = std::chrono::seconds(1);
  const Error error = initiator.open_error(options);
  EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  EXPECT_THAT(error.message(), HasSubstr("within the login timeout"));
}

TEST(Lun, BlocksOfOtherSizesAreUnsupported) {
  FakeTarget target({.login = {}, .handler = {}, .block_size_bytes = 520});
  Initiator initiator;
  const Error error = initiator.open_error(options_for(target.portal(), kIqn, 1));
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("blocks of 520 bytes"));
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
  FakeLun fake({.login = {},
                .handler = refuse(kWrite, kAlways, early),
                .blocks = 65536,
                .unsolicited_data = true});
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
  FakeLun::fault([&] { fake.read(0, 512); });  // until the silence ends the session
  EXPECT_EQ(ended, 128);
}

}  // namespace
}  // namespace lunfs::iscsi
