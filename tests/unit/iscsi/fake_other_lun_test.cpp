// What stands at the LUN's number is no longer what was opened, or may not be.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "base/spawn.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::capacity;
using testing::check_condition;
using testing::FakeLun;
using testing::FakeTarget;
using testing::Flag;
using testing::flag;
using ::testing::HasSubstr;
using testing::kHangUp;
using testing::kInquiry;
using testing::kLunsChanged;
using testing::kRead;
using testing::kReadCapacity;
using testing::kWrite;
using testing::noise;
using Reply = testing::FakeTarget::Reply;
using Kind = SessionState::Kind;

constexpr std::uint64_t kBlocks = 4096;  // of a FakeTarget

const Reply kCapacityChanged = check_condition(6, 0x2a, 0x09);
const Reply kNoLun = check_condition(5, 0x25, 0x00);

/// Answers the first command with `opcode` by `reply`; from then on the LUN has `blocks`.
FakeTarget::Handler resized_at(std::uint8_t opcode, const Reply& reply, std::uint64_t blocks,
                               const Flag& resized = flag()) {
  auto once = flag();
  return [=](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] == opcode && !once->exchange(true)) {
      *resized = true;
      return reply;
    }
    if (cdb.bytes[0] == kReadCapacity && *resized) return capacity(blocks);
    return std::nullopt;
  };
}

TEST(LunInDoubt, ReplacedOnALiveSessionItGetsNothingMore) {
  FakeLun fake({.login = {}, .handler = resized_at(kWrite, kLunsChanged, kBlocks / 2)});
  const Error error = FakeLun::fault([&] { fake.write(0, noise(512, 1)); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("another LUN stands at number 1 now"));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
  EXPECT_EQ(fake.lun->state().kind, Kind::kRefused);
  EXPECT_THROW(fake.read(0, 512), Error);
  EXPECT_EQ(fake.target.count(kRead), 0U);
}

TEST(LunInDoubt, AnswersFromThenOnDoNotCount) {
  FakeLun fake({.login = {}, .handler = resized_at(kRead, kLunsChanged, kBlocks / 2)});
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  std::vector<std::byte> first(512);
  std::vector<std::byte> second(512);
  int failures = 0;
  const auto count = [&](const std::exception_ptr& failure) { failures += failure ? 1 : 0; };
  spawn(fake.lun->read(context, 0, first), count);
  spawn(fake.lun->read(context, 8192, second), count);
  fake.initiator.pause(std::chrono::milliseconds(500));
  EXPECT_EQ(failures, 2);
}

TEST(LunInDoubt, SameLunGoesOnAndNothingCountsAsLost) {
  FakeLun fake({.login = {}, .handler = testing::refuse(kRead, 1, kLunsChanged)});
  fake.write(0, noise(512, 1));
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
  EXPECT_EQ(fake.lun->state().outages, 0U);
  EXPECT_EQ(fake.lun->losses(), 0U);
  fake.initiator.run([&](RequestContext& c) { return fake.lun->flush(c); });
}

TEST(LunInDoubt, LookThatIsNotAnsweredHoldsNobodyUpLongerThanAnOutage) {
  const Flag mute = flag();
  FakeLun fake({.login = {},
                .handler = testing::first_of(
                    {testing::refuse(kRead, 1, kLunsChanged),
                     testing::once(testing::kTestUnitReady, mute, testing::kSilence)})},
               std::chrono::seconds(2), nullptr, 0, std::chrono::seconds(60));
  *mute = true;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).kind(), ErrorKind::kUnreachable);
  EXPECT_FALSE(*mute);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
}

TEST(LunInDoubt, RemovedLunIsWaitedFor) {
  auto gone = flag();
  auto asked = std::make_shared<std::atomic<int>>(0);
  FakeLun fake({.login = {}, .handler = [=](const Cdb& cdb) -> std::optional<Reply> {
                  if (cdb.bytes[0] == kInquiry && *gone && asked->fetch_add(1) < 3) {
                    Reply reply{.sense = {}, .data = std::vector<std::byte>(96)};
                    reply.data[0] = std::byte{0x7f};
                    return reply;
                  }
                  if (cdb.bytes[0] == kRead && !gone->exchange(true)) return kNoLun;
                  return std::nullopt;
                }});
  fake.target.set_bytes(noise(kBlocks * 512, 3));
  const auto all = noise(kBlocks * 512, 3);
  EXPECT_EQ(fake.read(0, 512), std::vector<std::byte>(all.begin(), all.begin() + 512));
  EXPECT_GE(fake.lun->state().outages, 1U);
}

TEST(LunInDoubt, GrowthIsShown) {
  FakeLun fake({.login = {}, .handler = resized_at(kRead, kCapacityChanged, 2 * kBlocks)});
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->identity().size_bytes, 2 * kBlocks * 512);
  EXPECT_EQ(fake.lun->geometry().size_bytes, 2 * kBlocks * 512);
  EXPECT_EQ(fake.lun->state().outages, 0U);
}

TEST(LunInDoubt, GrownDuringAnOutageItIsTheSame) {
  FakeLun fake({.login = {}, .handler = resized_at(kRead, kHangUp, 2 * kBlocks)});
  fake.read(0, 512);
  EXPECT_EQ(fake.lun->identity().size_bytes, 2 * kBlocks * 512);
}

TEST(LunInDoubt, RightLunThatComesBackIsUsedAgain) {
  auto other = flag();
  FakeLun fake({.login = {}, .handler = resized_at(kWrite, kHangUp, kBlocks / 2, other)});
  EXPECT_EQ(FakeLun::fault([&] { fake.write(0, noise(512, 1)); }).kind(), ErrorKind::kIo);
  *other = false;
  fake.initiator.pause(std::chrono::milliseconds(1500));
  fake.write(0, noise(512, 2));
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
}

Task<std::optional<Error>> refuse_all(RequestContext& /*context*/, BlockDevice& /*device*/) {
  co_return Error(ErrorKind::kIo, "the map is old");
}

TEST(LunInDoubt, GuardIsAskedToo) {
  FakeLun fake({.login = {}, .handler = testing::refuse(kRead, 1, kLunsChanged)});
  fake.lun->set_resume_guard(
      [](RequestContext& c, BlockDevice& device) { return refuse_all(c, device); });
  EXPECT_EQ(FakeLun::fault([&] { fake.read(0, 512); }).message(), "the map is old");
  fake.initiator.pause(std::chrono::milliseconds(1000));
  EXPECT_EQ(fake.lun->state().kind, Kind::kRefused);
  EXPECT_EQ(fake.target.count(kRead), 1U);
}

}  // namespace
}  // namespace lunfs::iscsi
