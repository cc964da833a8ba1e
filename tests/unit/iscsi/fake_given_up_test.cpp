// Commands that are not answered, and whose callers do not wait for them any more: they have no
// other limit here.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/iscsi/one_turn.h"

namespace lunfs::iscsi {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Ends;
using testing::FakeLun;
using testing::kRead;
using testing::kSilence;
using testing::kWrite;
using testing::noise;
using testing::refuse;

constexpr std::chrono::hours kForEver{24 * 365};

/// A LUN that swallows the first commands, as a mount with timeout=0 opens it.
struct SwallowingLun {
  explicit SwallowingLun(testing::FakeTarget::Handler handler)
      : fake({.login = {}, .handler = std::move(handler)}, kForEver) {}

  void read(Cancellation* cancellation, std::uint64_t offset, const std::string& name) {
    contexts.push_back(std::make_unique<RequestContext>());
    contexts.back()->cancellation = cancellation;
    buffers.emplace_back(4096);
    spawn(fake.lun->read(*contexts.back(), offset, buffers.back()), ends.note(name));
  }
  void write(Cancellation* cancellation, std::uint64_t offset, const std::string& name) {
    contexts.push_back(std::make_unique<RequestContext>());
    contexts.back()->cancellation = cancellation;
    buffers.push_back(noise(4096, 1));
    spawn(fake.lun->write(*contexts.back(), offset, buffers.back()), ends.note(name));
  }
  void flush(Cancellation* cancellation, const std::string& name) {
    contexts.push_back(std::make_unique<RequestContext>());
    contexts.back()->cancellation = cancellation;
    spawn(fake.lun->flush(*contexts.back()), ends.note(name));
  }
  /// From the start of the commands to the end of as many.
  milliseconds time_until_ended(std::size_t count) {
    fake.initiator.wait_until([&] { return ends.count() >= count; });
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
  }

  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<RequestContext>> contexts;
  std::list<std::vector<std::byte>> buffers;
  Ends ends;
  FakeLun fake;
};

testing::FakeTarget::Handler swallow(int reads, int writes) {
  return testing::first_of({refuse(kRead, reads, kSilence), refuse(kWrite, writes, kSilence)});
}

TEST(GivenUp, CommandsThatTheirCallersGiveUpEndWithTheSessionAndTheOthersGoAgain) {
  SwallowingLun lun(swallow(2, 2));
  Cancellation cancellation;
  lun.read(&cancellation, 0, "given up read");
  lun.write(&cancellation, 65536, "given up write");
  lun.read(nullptr, 131072, "read");
  lun.write(nullptr, 262144, "write");
  lun.fake.initiator.pause(milliseconds(300));
  cancellation.request();
  const milliseconds took = lun.time_until_ended(4);
  EXPECT_GE(took, milliseconds(9900));
  EXPECT_LT(took, milliseconds(12000));
  EXPECT_EQ(lun.ends.fault("given up read"), ErrorKind::kCancelled);
  EXPECT_EQ(lun.ends.fault("given up write"), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(lun.ends.fault("read"), std::nullopt);
  EXPECT_EQ(lun.ends.fault("write"), std::nullopt);
  EXPECT_EQ(lun.fake.lun->state().outages, 1U);
  EXPECT_EQ(lun.fake.target.count(kRead), 3U);
  EXPECT_EQ(lun.fake.target.count(kWrite), 3U);
}

TEST(GivenUp, CommandThatNobodyGivesUpWaits) {
  SwallowingLun lun(swallow(1, 0));
  Cancellation cancellation;
  lun.read(&cancellation, 0, "read");
  lun.fake.initiator.pause(milliseconds(11500));
  EXPECT_EQ(lun.ends.count(), 0U);
  EXPECT_EQ(lun.fake.lun->state().outages, 0U);
  cancellation.request();
  EXPECT_LT(lun.time_until_ended(1), seconds(13)) << "it has been unanswered for long enough";
  EXPECT_EQ(lun.ends.fault("read"), ErrorKind::kCancelled);
}

TEST(GivenUp, CommandThatWasGivenUpAndIsAnsweredInTimeCostsNoSession) {
  SwallowingLun lun([](const Cdb& cdb) -> std::optional<testing::FakeTarget::Reply> {
    if (cdb.bytes[0] == kRead) std::this_thread::sleep_for(seconds(2));
    return std::nullopt;
  });
  Cancellation cancellation;
  lun.read(&cancellation, 0, "read");
  lun.fake.initiator.pause(milliseconds(300));
  cancellation.request();
  lun.time_until_ended(1);
  EXPECT_EQ(lun.ends.fault("read"), std::nullopt);
  EXPECT_EQ(lun.fake.lun->state().outages, 0U);
}

TEST(GivenUp, FlushHasLonger) {
  Cancellation cancellation;
  SwallowingLun lun(refuse(testing::kSynchronizeCache, 1, kSilence));
  lun.fake.write(0, noise(512, 1));
  lun.flush(&cancellation, "flush");
  cancellation.request();
  lun.fake.initiator.pause(milliseconds(12500));
  EXPECT_EQ(lun.ends.count(), 0U);
  EXPECT_EQ(lun.fake.lun->state().outages, 0U);
}

TEST(GivenUp, JoinedReadIsGivenUpWhenAllOfItsCallersHaveGivenUp) {
  SwallowingLun lun(swallow(1, 0));
  Cancellation one;
  Cancellation other;
  lun.read(&one, 0, "one");
  lun.read(&other, 4096, "other");
  lun.fake.initiator.pause(milliseconds(300));
  ASSERT_EQ(lun.fake.target.count(kRead), 1U);
  one.request();
  lun.fake.initiator.pause(milliseconds(11500));
  EXPECT_EQ(lun.ends.count(), 0U) << "one of its callers still waits for it";
  other.request();
  EXPECT_LT(lun.time_until_ended(2), milliseconds(13500));
  EXPECT_EQ(lun.ends.fault("one"), ErrorKind::kCancelled);
  EXPECT_EQ(lun.ends.fault("other"), ErrorKind::kCancelled);
  EXPECT_EQ(lun.fake.lun->state().outages, 1U);
}

TEST(GivenUp, JoinedWriteThatAllOfItsCallersHaveGivenUpIsNeverCalledCancelled) {
  SwallowingLun lun(swallow(1, 1));
  Cancellation one;
  Cancellation other;
  lun.write(&one, 0, "one");
  lun.write(&other, 4096, "other");
  lun.read(nullptr, 65536, "read");
  lun.fake.initiator.pause(milliseconds(300));
  ASSERT_EQ(lun.fake.target.count(kWrite), 1U);
  one.request();
  other.request();
  EXPECT_LT(lun.time_until_ended(3), milliseconds(12000));
  EXPECT_EQ(lun.ends.fault("one"), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(lun.ends.fault("other"), ErrorKind::kOutcomeUnknown);
  EXPECT_EQ(lun.ends.fault("read"), std::nullopt);
  EXPECT_EQ(lun.fake.target.count(kWrite), 1U);
}

}  // namespace
}  // namespace lunfs::iscsi
