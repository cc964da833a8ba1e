// Several sessions with one LUN: what one of them has found holds for the others.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "base/bytes.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeLun;
using testing::FakeTarget;
using ::testing::HasSubstr;
using testing::kRead;
using testing::kWrite;
using testing::noise;
using testing::refuse;
using Reply = testing::FakeTarget::Reply;
using Flag = std::shared_ptr<std::atomic<bool>>;
using namespace std::chrono_literals;

constexpr std::uint8_t kInquiry = 0x12;
constexpr std::uint8_t kReadCapacity = 0x9e;
constexpr std::uint64_t kBlocks = 4096;  // of a FakeTarget

const Reply kHangUp{.sense = {}, .data = {}, .hang_up = true};
const Reply kSilence{.sense = {}, .data = {}, .say_nothing = true};
const Reply kLunsChanged = check_condition(6, 0x3f, 0x0e);

/// Each session has a target of its own here: what they share is what lunfs itself keeps.
class SharedLunTest : public ::testing::Test {
 protected:
  void open_this(FakeTarget::Options options = {.login = {}, .handler = {}}) {
    this_.emplace(std::move(options), 2s, shared_);
  }
  void open_other(FakeTarget::Options options) { other_.emplace(std::move(options), 2s, shared_); }
  static void pause(FakeLun& fake, std::chrono::milliseconds length) {
    RequestContext context;
    run_until_done(fake.initiator.reactor,
                   fake.initiator.reactor.sleep_until(context, Reactor::Clock::now() + length));
  }

  std::shared_ptr<SharedLun> shared_ = std::make_shared<SharedLun>();
  std::optional<FakeLun> this_;
  std::optional<FakeLun> other_;
};

/// Hangs up at the first write, and is half as large from then on, while `cut` is true.
FakeTarget::Handler cut_at_a_write(const Flag& cut) {
  return [cut, once = std::make_shared<std::atomic<bool>>(false)](
             const Cdb& cdb) -> std::optional<Reply> {
    if (cdb.bytes[0] == kWrite && !once->exchange(true)) {
      *cut = true;
      return kHangUp;
    }
    if (cdb.bytes[0] != kReadCapacity || !*cut) return std::nullopt;
    Reply reply{.sense = {}, .data = std::vector<std::byte>(32)};
    store_be<std::uint64_t>(reply.data, 0, kBlocks / 2 - 1);
    store_be<std::uint32_t>(reply.data, 8, 512);
    return reply;
  };
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
  pause(*other_, 1500ms);
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

/// Every login of the second round and later is cut off while `down` is true.
FakeTarget::LoginScript refusing(const Flag& down) {
  return [down](int round, const std::string&) {
    FakeTarget::LoginReply reply;
    reply.hang_up = *down;
    if (reply.hang_up) {
      reply.status = 0x0301;
      return reply;
    }
    reply.current_stage = round == 0 ? 0 : 1;
    reply.next_stage = round == 0 ? 1 : 3;
    if (round == 0) reply.keys = {"AuthMethod=None"};
    return reply;
  };
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
  pause(*other_, 3s);
  this_->write(0, noise(512, 2));
  EXPECT_EQ(this_->target.count(kWrite), 1U);
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
