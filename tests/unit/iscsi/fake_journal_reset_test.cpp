// A LUN with unflushed writes is looked at again, and says that it was reset.
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "tests/unit/iscsi/fake_journal.h"

namespace lunfs::iscsi {
namespace {

using testing::all_of;
using testing::first_of;
using testing::Flag;
using testing::flag;
using testing::JournalledLun;
using testing::kHangUp;
using testing::kLunsChanged;
using testing::kRead;
using testing::kTestUnitReady;
using testing::kWasReset;
using testing::kWrite;
using testing::noise;
using testing::once;

/// The first of two reads makes it a LUN in doubt, the second is answered while it is looked at.
struct LunThatIsLookedAt {
  LunThatIsLookedAt() { fake.write(0, data); }

  /// Two reads in flight together, of what was written and of other blocks.
  std::vector<std::byte> read_twice() {
    std::vector<std::byte> first(512);
    std::vector<std::byte> second(512);
    fake.initiator.run([&](RequestContext& c) {
      std::vector<Task<void>> reads;
      reads.push_back(fake.lun->read(c, 0, first));
      reads.push_back(fake.lun->read(c, 8192, second));
      return all_of(std::move(reads));
    });
    return first;
  }

  std::vector<std::byte> data = noise(512, 1);
  Flag changed = flag();  ///< told to a read
  Flag reset = flag();    ///< told to a read
  Flag reset_at_look = flag();
  Flag cut_at_look = flag();
  JournalledLun fake{
      {.login = {},
       .handler = first_of({once(kRead, changed, kLunsChanged), once(kRead, reset, kWasReset),
                            once(kTestUnitReady, reset_at_look, kWasReset),
                            once(kTestUnitReady, cut_at_look, kHangUp)})}};
};

TEST(JournalReset, ResetThatTheLookItselfIsToldOfIsNotForgotten) {
  LunThatIsLookedAt one;
  one.fake.target.lose_cache();
  *one.reset_at_look = *one.changed = true;
  EXPECT_EQ(one.fake.read(0, 512), one.data);
  EXPECT_EQ(one.fake.target.session_ids().size(), 2U);
  one.fake.expect_durable(0, one.data);
}

TEST(JournalReset, ResetThatACommandIsToldOfDuringTheLookIsNotForgotten) {
  LunThatIsLookedAt one;
  one.fake.target.lose_cache();
  *one.reset = *one.changed = true;
  EXPECT_EQ(one.read_twice(), one.data);
  EXPECT_EQ(one.fake.target.session_ids().size(), 2U);
  one.fake.expect_durable(0, one.data);
}

TEST(JournalReset, LookThatIsToldOfNoResetCostsNoSession) {
  LunThatIsLookedAt one;
  *one.changed = true;
  EXPECT_EQ(one.read_twice(), one.data);
  EXPECT_EQ(one.fake.lun->state().outages, 0U);
  EXPECT_EQ(one.fake.lun->journal().replays, 0U);
}

TEST(JournalReset, ResetCountsForTheLookThatItFellIntoOnly) {
  LunThatIsLookedAt one;
  *one.cut_at_look = *one.reset = *one.changed = true;
  EXPECT_EQ(one.read_twice(), one.data);
  ASSERT_EQ(one.fake.lun->state().outages, 1U);
  const auto newer = noise(512, 2);
  one.fake.write(0, newer);
  *one.changed = true;
  EXPECT_EQ(one.fake.read(0, 512), newer);
  EXPECT_FALSE(*one.changed);
  EXPECT_EQ(one.fake.lun->state().outages, 1U);
}

/// It is in the cache that the reset takes, and noted only when the look has ended.
TEST(JournalReset, WriteThatIsAnsweredBeforeTheResetOfALookIsNotForgotten) {
  const Flag changed = flag();
  const Flag reset = flag();
  const auto lose = std::make_shared<std::function<void()>>();
  const auto reset_at_look = [=](const Cdb& cdb) -> std::optional<testing::FakeTarget::Reply> {
    if (cdb.bytes[0] != kTestUnitReady || !reset->exchange(false)) return std::nullopt;
    (*lose)();
    return kWasReset;
  };
  JournalledLun fake(
      {.login = {}, .handler = first_of({once(kRead, changed, kLunsChanged), reset_at_look})});
  *lose = [&fake] { fake.target.lose_cache(); };
  *changed = *reset = true;
  const auto data = noise(512, 1);
  std::vector<std::byte> read(512);
  fake.initiator.run([&](RequestContext& c) {
    std::vector<Task<void>> both;
    both.push_back(fake.lun->read(c, 8192, read));
    both.push_back(fake.lun->write(c, 0, data));
    return all_of(std::move(both));
  });
  EXPECT_FALSE(*reset);
  fake.expect_durable(0, data);
}

TEST(JournalReset, SessionsThatWereShortForOtherReasonsHideNoReset) {
  const Flag cut = flag();
  const Flag reset = flag();
  JournalledLun fake(
      {.login = {},
       .handler = first_of({once(kRead, cut, kHangUp), once(kRead, reset, kWasReset)})});
  for (int i = 0; i < 2; ++i) {
    *cut = true;
    fake.read(0, 512);
  }
  const auto data = noise(512, 1);
  fake.write(0, data);
  fake.target.lose_cache();
  *reset = true;
  EXPECT_EQ(fake.read(0, 512), data);
  fake.expect_durable(0, data);
}

TEST(JournalReset, ResetsAfterEachLoginAreToldAsALossAtLast) {
  const Flag reset = flag();
  JournalledLun fake({.login = {}, .handler = once(kRead, reset, kWasReset)},
                     std::chrono::seconds(10));
  for (int i = 0; i < 6; ++i) {
    fake.write(0, noise(512, 1));
    *reset = true;
    fake.read(0, 512);
  }
  EXPECT_EQ(fake.lun->state().outages, 5U);
  EXPECT_EQ(fake.lun->losses(), 1U);
  EXPECT_THROW(fake.flush(), Error);
  EXPECT_NO_THROW(fake.flush());
}

TEST(JournalReset, ResetsThatEachLookIsToldOfAreToldAsALossAtLast) {
  const Flag changed = flag();
  const Flag reset = flag();
  JournalledLun fake({.login = {},
                      .handler = first_of({once(kRead, changed, kLunsChanged),
                                           once(kTestUnitReady, reset, kWasReset)})},
                     std::chrono::seconds(10));
  for (int i = 0; i < 6; ++i) {
    fake.write(0, noise(512, 1));
    *reset = *changed = true;
    fake.read(0, 512);
    ASSERT_FALSE(*reset);
  }
  EXPECT_EQ(fake.lun->state().outages, 5U);
  EXPECT_EQ(fake.lun->losses(), 1U);
  EXPECT_THROW(fake.flush(), Error);
  EXPECT_NO_THROW(fake.flush());
}

/// Each second write is told of one.
TEST(JournalReset, LunThatIsResetInEveryReplayComesBackAndALossIsTold) {
  const Flag resets = flag();
  const auto odd = flag();
  JournalledLun fake(
      {.login = {}, .handler = [=](const Cdb& cdb) -> std::optional<testing::FakeTarget::Reply> {
         if (cdb.bytes[0] != kWrite || !*resets) return std::nullopt;
         if (odd->exchange(!*odd)) return std::nullopt;
         return kWasReset;
       }});
  const auto data = noise(512, 1);
  fake.write(0, data);
  fake.write(8192, data);
  *resets = true;
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), data);
  EXPECT_EQ(fake.read(8192, 512), data);
  *resets = false;
  EXPECT_EQ(fake.lun->state().outages, 1U);
  EXPECT_EQ(fake.lun->losses(), 1U);
  EXPECT_THROW(fake.flush(), Error);
  fake.flush();
  fake.target.lose_cache();
  EXPECT_EQ(fake.seen(8192, 512), data);
}

}  // namespace
}  // namespace lunfs::iscsi
