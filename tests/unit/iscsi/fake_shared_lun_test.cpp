// Several sessions with one LUN: what one of them has found holds for the others.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "tests/unit/iscsi/fake_lun.h"
#include "tests/unit/iscsi/two_paths.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeLun;
using testing::FakeTarget;
using testing::flag;
using testing::Flag;
using ::testing::HasSubstr;
using testing::Initiator;
using testing::kHangUp;
using testing::kInquiry;
using testing::kLunsChanged;
using testing::kRead;
using testing::kSilence;
using testing::kTestUnitReady;
using testing::kWrite;
using testing::noise;
using testing::other_lun;
using testing::refuse;
using testing::refusing;
using testing::target;
using testing::TwoPaths;
using Reply = testing::FakeTarget::Reply;
using namespace std::chrono_literals;

/// Each session has a target of its own here: what they share is what lunfs itself keeps.
class SharedLunTest : public ::testing::Test {
 protected:
  void open_this(FakeTarget::Options options = {.login = {}, .handler = {}}) {
    this_.emplace(std::move(options), 2s, shared_);
  }
  void open_other(FakeTarget::Options options) { other_.emplace(std::move(options), 2s, shared_); }

  std::shared_ptr<SharedLun> shared_ = std::make_shared<SharedLun>();
  std::optional<FakeLun> this_;
  std::optional<FakeLun> other_;
};

/// Hangs up at the first write; another LUN stands there from then on, while `cut` is true.
FakeTarget::Handler cut_at_a_write(const Flag& cut) {
  return other_lun(cut, [cut, once = flag()](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kWrite || once->exchange(true)) return std::nullopt;
    *cut = true;
    return kHangUp;
  });
}

TEST_F(SharedLunTest, NoSessionIsUsedWhileOneFindsAnotherLun) {
  const auto cut = std::make_shared<std::atomic<bool>>(false);
  open_this();
  open_other({.login = {}, .handler = cut_at_a_write(cut)});
  EXPECT_THROW(other_->write(0, noise(512, 1)), Error);
  const Error error = FakeLun::fault([&] { this_->write(0, noise(512, 1)); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.message(), HasSubstr("another session of this mount found another LUN"));
  EXPECT_THROW(this_->read(0, 512), Error);
  EXPECT_THROW(this_->initiator.run([&](RequestContext& c) { return this_->lun->flush(c); }), Error)
      << "what is flushed may be another LUN's cache";
  EXPECT_EQ(this_->target.count(kWrite) + this_->target.count(kRead), 0U);

  *cut = false;
  other_->initiator.pause(1500ms);
  this_->write(0, noise(512, 2));
  EXPECT_EQ(this_->read(0, 512), noise(512, 2));
}

TEST_F(SharedLunTest, EachLooksAgainWhenOneIsToldThatLunsHaveChanged) {
  open_this();
  open_other({.login = {}, .handler = refuse(kRead, 1, kLunsChanged)});
  this_->read(0, 512);
  const std::size_t before = this_->target.count(kInquiry);
  this_->read(0, 512);
  EXPECT_EQ(this_->target.count(kInquiry), before);
  other_->read(0, 512);
  this_->read(0, 512);
  const std::size_t looked = this_->target.count(kInquiry);
  EXPECT_GT(looked, before);
  this_->read(0, 512);
  EXPECT_EQ(this_->target.count(kInquiry), looked) << "once is enough";
  EXPECT_EQ(this_->lun->state().outages, 0U);
}

TEST_F(SharedLunTest, WriteThatFailedIsNotOvertakenBeforeItsSessionIsBack) {
  const auto down = std::make_shared<std::atomic<bool>>(false);
  open_this();
  open_other({.login = refusing(down),
              .handler = [down, once = refuse(kWrite, 1, kSilence)](const Cdb& cdb) {
                if (cdb.bytes[0] == kWrite) *down = true;
                return once(cdb);
              }});
  EXPECT_THROW(other_->write(0, noise(512, 1)), Error);  // sent, and perhaps carried out later
  const Error error = FakeLun::fault([&] { this_->write(0, noise(512, 2)); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("another session was lost with a write"));
  EXPECT_EQ(this_->target.count(kWrite), 0U);
  this_->read(0, 512);

  *down = false;
  other_->initiator.pause(3s);
  this_->write(0, noise(512, 2));
  EXPECT_EQ(this_->target.count(kWrite), 1U);
}

/// Takes back a write that has come, and ends its session; no login succeeds from then on.
FakeTarget::Handler taking_back_a_write(Revocation& revocation, const Flag& down) {
  return [&revocation, down](const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] != kWrite) return std::nullopt;
    revocation.revoke(Error(ErrorKind::kIo, "another LV has the extents"));
    *down = true;
    return kHangUp;
  };
}

Error fault_of_write(LunDevice& lun, Initiator& initiator, const Revocation& revocation) {
  const auto data = noise(512, 1);
  return FakeLun::fault([&] {
    initiator.run([&](RequestContext& c) {
      c.revocation = &revocation;
      return lun.write(c, 0, data);
    });
  });
}

TEST_F(SharedLunTest, WriteThatWasTakenBackOnItsWayIsNotOvertakenEither) {
  const auto down = flag();
  Revocation revocation;
  open_this();
  open_other({.login = refusing(down), .handler = taking_back_a_write(revocation, down)});
  EXPECT_EQ(fault_of_write(*other_->lun, other_->initiator, revocation).kind(),
            ErrorKind::kOutcomeUnknown);
  EXPECT_THAT(FakeLun::fault([&] { this_->write(0, noise(512, 2)); }).message(),
              HasSubstr("another session was lost with a write"));
  EXPECT_EQ(this_->target.count(kWrite), 0U);
  *down = false;
}

TEST_F(SharedLunTest, PathThatLeadsToAnotherLunDoesNotEndTheWaitForALateWrite) {
  const auto down = flag();
  Revocation revocation;
  auto lost = target(taking_back_a_write(revocation, down));
  lost.login = refusing(down);
  TwoPaths two(std::move(lost), target(other_lun(flag(true))));
  two.options.shared = shared_;
  two.open();
  open_this();
  fault_of_write(*two.lun, two.initiator, revocation);
  two.wait_until([&] { return two.state(1) == PathReport::State::kRefused; });
  EXPECT_THAT(FakeLun::fault([&] { this_->write(0, noise(512, 2)); }).message(),
              HasSubstr("another session was lost with a write"));
  EXPECT_EQ(this_->target.count(kWrite), 0U);

  *down = false;
  two.wait_until([&] { return two.lun->connected(); });
  this_->write(0, noise(512, 2));
  EXPECT_EQ(this_->target.count(kWrite), 1U);
}

TEST_F(SharedLunTest, EachLooksAgainWhenOneFindsAnotherLunAtOneOfItsPaths) {
  TwoPaths two(target(refuse(kWrite, 1, kHangUp)), target(other_lun(flag(true))));
  two.options.shared = shared_;
  two.open();
  open_this();
  const std::size_t before = this_->target.count(kInquiry);
  two.write(1);
  ASSERT_EQ(two.state(1), PathReport::State::kRefused);
  this_->read(0, 512);
  EXPECT_GT(this_->target.count(kInquiry), before);
  EXPECT_EQ(two.first.count(kTestUnitReady), 2U) << "its own session looks at each login only";
}

TEST_F(SharedLunTest, ReadThatFailedHoldsNobodyUp) {
  const auto down = std::make_shared<std::atomic<bool>>(false);
  open_this();
  open_other({.login = refusing(down),
              .handler = [down, once = refuse(kRead, 1, kSilence)](const Cdb& cdb) {
                if (cdb.bytes[0] == kRead) *down = true;
                return once(cdb);
              }});
  EXPECT_THROW(other_->read(0, 512), Error);
  this_->write(0, noise(512, 2));
  *down = false;
}

}  // namespace
}  // namespace lunfs::iscsi
