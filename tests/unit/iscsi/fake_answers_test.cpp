// What becomes of answers other than "good": tried again, an error of the right kind, never a
// success.
#include <gmock/gmock.h>

#include "base/bytes.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeLun;
using ::testing::HasSubstr;
using testing::kAlways;
using testing::kRead;
using testing::kWrite;
using testing::noise;
using testing::refuse;
using testing::status;
using Reply = testing::FakeTarget::Reply;

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

TEST(Lun, HolderOfAReservationIsNamedByItsKey) {
  constexpr std::uint8_t kPersistentReserveIn = 0x5e;
  FakeLun fake({.login = {}, .handler = [](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] == kWrite) return status(0x18);
                  if (cdb.bytes[0] != kPersistentReserveIn) return std::nullopt;
                  Reply reply{.sense = {}, .data = std::vector<std::byte>(24)};
                  store_be<std::uint32_t>(reply.data, 4, 16);
                  store_be<std::uint64_t>(reply.data, 8, 0x123456789abcdef0);
                  return reply;
                }});
  const Error error = FakeLun::fault([&] { fake.write(0, noise(512, 1)); });
  EXPECT_EQ(error.kind(), ErrorKind::kReserved);
  EXPECT_THAT(error.message(), HasSubstr("held with key 0x123456789abcdef0"));
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

}  // namespace
}  // namespace lunfs::iscsi
