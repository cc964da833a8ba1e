// Answers that come in one turn of the reactor, and the end of the session with them.
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/iscsi/fake_journal.h"
#include "tests/unit/iscsi/one_turn.h"
#include "tests/unit/iscsi/two_paths.h"

namespace lunfs::iscsi {
namespace {

using testing::capacity;
using testing::check_condition;
using ::testing::ElementsAre;
using testing::Ends;
using testing::FakeTarget;
using testing::first_of;
using testing::Flag;
using testing::flag;
using testing::Gate;
using testing::JournalledLun;
using testing::kLunsChanged;
using testing::kRead;
using testing::kReadCapacity;
using testing::kSynchronizeCache;
using testing::kWasReset;
using testing::kWrite;
using testing::noise;
using testing::once;
using testing::other_lun;
using testing::refuse;
using testing::target;
using testing::TwoPaths;
using Reply = testing::FakeTarget::Reply;
using std::chrono::milliseconds;

const Reply kNobody;  // to nothing
const Reply kWriteProtected = check_condition(7, 0x27, 0x00);
const Reply kPoweredOn = check_condition(6, 0x29, 0x01);
const Reply kNoLun = check_condition(5, 0x25, 0x00);

Reply cut_behind(Reply reply) {
  reply.cut = true;
  return reply;
}
/// To a read of a block that was never written.
Reply zeroes() { return {.sense = {}, .data = std::vector<std::byte>(512)}; }

/// A LUN with a write that is not flushed; the target stops at a command, and others come behind.
struct StoppedLun {
  /// @param opcode  it stops there @param reply  its answer @param more  what else it says
  /// @param window  so many commands go out, later ones wait to be sent
  StoppedLun(std::uint8_t opcode, const Reply& reply, FakeTarget::Handler more = refuse(0, 0, {}),
             std::uint32_t window = 64)
      : fake({.login = {},
              .handler = first_of({gate.at(opcode,
                                           [=, this] {
                                             while_stopped();
                                             return reply;
                                           }),
                                   std::move(more)}),
              .window = window}) {
    fake.write(0, kept);
  }

  void stop_at_write() {
    gate.shut();
    spawn(fake.lun->write(context, 65536, data), ends.note("write"));
    fake.initiator.wait_until([&] { return gate.reached(); });
    before = fake.target.answers();
  }
  void stop_at_read() {
    gate.shut();
    spawn(fake.lun->read(context, 65536, stopped), ends.note("stopped"));
    fake.initiator.wait_until([&] { return gate.reached(); });
  }
  void read(const std::string& name, std::uint64_t offset, std::vector<std::byte>& out) {
    spawn(fake.lun->read(context, offset, out), ends.note(name));
    fake.initiator.pause(milliseconds(20));  // it is on its way, if the window allows it
  }
  void flush() {
    spawn(fake.lun->flush(context), ends.note("flush"));
    fake.initiator.pause(milliseconds(20));
  }
  /// So many answers meet the reactor in one turn; ends when all of `calls` have ended.
  void go_on_after(std::size_t answers, std::size_t calls) {
    gate.open([&] { return fake.target.answers() >= before + answers; });
    fake.initiator.wait_until([&] { return ends.count() == calls; });
  }
  /// What was answered and the end of the connection meet it in one turn.
  void go_on_after_the_cut(std::size_t calls) {
    gate.open([&] { return fake.target.connections_ended() == 1; });
    fake.initiator.wait_until([&] { return ends.count() == calls; });
  }
  void expect_kept_is_durable() {
    fake.target.lose_cache();
    EXPECT_EQ(fake.seen(0, kept.size()), kept);
    EXPECT_EQ(fake.lun->losses(), 0U);
  }

  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  Ends ends;
  Gate gate;
  std::function<void()> while_stopped = [] {};
  std::size_t before = 0;
  std::vector<std::byte> kept = noise(512, 1);
  std::vector<std::byte> data = noise(512, 2);
  std::vector<std::byte> stopped = std::vector<std::byte>(512);
  std::vector<std::byte> first = std::vector<std::byte>(512);
  std::vector<std::byte> second = std::vector<std::byte>(512);
  JournalledLun fake;
};

TEST(OneTurn, AnswersBehindARefusedWriteThatIsStillSentWaitForIt) {
  StoppedLun lun(kWrite, kWriteProtected, refuse(0, 0, kNobody), 2);
  lun.stop_at_write();
  lun.read("first", 8192, lun.first);
  lun.read("second", 16384, lun.second);
  lun.go_on_after(2, 3);
  EXPECT_THAT(lun.ends.order(), ElementsAre("write", "first", "second"));
  EXPECT_EQ(lun.ends.fault("write"), ErrorKind::kReadOnly);
  EXPECT_EQ(lun.ends.fault("first"), std::nullopt);
  EXPECT_EQ(lun.fake.lun->state().outages, 0U);
}

TEST(OneTurn, AnswersBehindARefusedWriteThatCastsDoubtDoNotCount) {
  const Flag other = flag();
  StoppedLun lun(kWrite, kLunsChanged, other_lun(other), 2);
  lun.while_stopped = [other] { *other = true; };
  lun.stop_at_write();
  lun.read("first", 8192, lun.first);
  lun.read("second", 16384, lun.second);
  lun.go_on_after(2, 3);
  EXPECT_EQ(lun.ends.fault("first"), ErrorKind::kIo);
  EXPECT_EQ(lun.ends.fault("second"), ErrorKind::kIo);
}

TEST(OneTurn, FlushBehindAWriteThatIsToldOfAResetCoversNothing) {
  StoppedLun lun(kWrite, kWasReset, refuse(0, 0, kNobody), 2);
  lun.while_stopped = [&lun] { lun.fake.target.lose_cache(); };
  lun.stop_at_write();
  lun.flush();
  lun.read("first", 0, lun.first);
  lun.go_on_after(2, 3);
  EXPECT_EQ(lun.ends.fault("flush"), std::nullopt);
  EXPECT_EQ(lun.first, lun.kept);
  lun.expect_kept_is_durable();
}

TEST(OneTurn, FlushBehindAResetThatIsToldWithTheEndOfTheSessionCoversNothing) {
  const Flag cut = flag();
  StoppedLun lun(kRead, kWasReset, once(kSynchronizeCache, cut, cut_behind(kNobody)));
  lun.while_stopped = [&lun] { lun.fake.target.lose_cache(); };
  *cut = true;
  lun.stop_at_read();
  lun.flush();
  lun.go_on_after_the_cut(2);
  EXPECT_FALSE(*cut);
  EXPECT_EQ(lun.ends.fault("flush"), std::nullopt);
  EXPECT_EQ(lun.ends.fault("stopped"), std::nullopt);
  lun.expect_kept_is_durable();
}

TEST(OneTurn, ReadBehindAResetThatIsToldWithTheEndOfTheSessionDoesNotCount) {
  const Flag cut = flag();
  StoppedLun lun(kRead, kWasReset, once(kRead, cut, cut_behind(zeroes())));
  lun.while_stopped = [&lun] { lun.fake.target.lose_cache(); };
  lun.stop_at_read();
  *cut = true;
  lun.read("first", 0, lun.first);
  lun.go_on_after_the_cut(2);
  EXPECT_FALSE(*cut);
  EXPECT_EQ(lun.first, lun.kept);
}

/// All that it cost was written again.
TEST(OneTurn, PowerOnThatIsToldWithTheEndOfTheSessionFailsNoFlush) {
  StoppedLun lun(kRead, cut_behind(kPoweredOn));
  lun.while_stopped = [&lun] { lun.fake.target.lose_cache(); };
  lun.stop_at_read();
  lun.go_on_after_the_cut(1);
  EXPECT_EQ(lun.ends.fault("stopped"), std::nullopt);
  EXPECT_NO_THROW(lun.fake.flush());
  lun.expect_kept_is_durable();
}

TEST(OneTurn, ReadBehindADoubtThatIsToldWithTheEndOfTheSessionDoesNotCount) {
  const Flag cut = flag();
  const Flag other = flag();
  StoppedLun lun(kRead, kLunsChanged, other_lun(other, once(kRead, cut, cut_behind(zeroes()))));
  lun.while_stopped = [other] { *other = true; };
  lun.stop_at_read();
  *cut = true;
  lun.read("first", 8192, lun.first);
  lun.go_on_after_the_cut(2);
  EXPECT_FALSE(*cut);
  EXPECT_EQ(lun.ends.fault("first"), ErrorKind::kIo);
  EXPECT_EQ(lun.ends.fault("stopped"), ErrorKind::kIo);
}

TEST(OneTurn, LunThatIsGoneWithTheEndOfTheSessionIsWaitedFor) {
  StoppedLun lun(kRead, cut_behind(kNoLun));
  lun.stop_at_read();
  lun.go_on_after_the_cut(1);
  EXPECT_EQ(lun.ends.fault("stopped"), std::nullopt);
}

/// What the first look has asked may have been answered before that.
TEST(OneTurn, DoubtThatIsToldDuringALookIsLookedAtOnceMore) {
  const Flag changing = flag();
  const Flag changed = flag();
  const Flag doubt = flag();
  const auto other_at_the_second_look = [=](const Cdb& cdb) -> std::optional<Reply> {
    if (!*changing || cdb.bytes[0] != kReadCapacity) return std::nullopt;
    return capacity(changed->exchange(true) ? 2048 : 4096);
  };
  StoppedLun lun(kRead, kLunsChanged,
                 first_of({other_at_the_second_look, once(kRead, doubt, kLunsChanged)}));
  lun.while_stopped = [changing] { *changing = true; };
  lun.stop_at_read();
  lun.before = lun.fake.target.answers();
  *doubt = true;
  lun.read("first", 8192, lun.first);
  lun.go_on_after(2, 2);
  EXPECT_EQ(lun.ends.fault("first"), ErrorKind::kIo);
  EXPECT_EQ(lun.ends.fault("stopped"), ErrorKind::kIo);
}

/// The first read takes the path out of use, the second one is told of other LUNs there.
TEST(OneTurn, ReadBehindADoubtOnAPathThatIsLeftDoesNotCount) {
  constexpr std::size_t kBytes = std::size_t{4096} * 512;
  const Gate gate;
  const Flag doubt = flag();
  const auto standby = [] { return check_condition(2, 0x04, 0x0b); };
  TwoPaths two(target(first_of({gate.at(kRead, standby), once(kRead, doubt, kLunsChanged)})),
               target({}));
  two.first.set_bytes(noise(kBytes, 1));  // by now
  const auto right = noise(kBytes, 2);
  two.second.set_bytes(right);
  two.options.shared = std::make_shared<SharedLun>();
  two.open();
  RequestContext context = RequestContext::within(std::chrono::seconds(30));
  Ends ends;
  Gate held = gate;
  std::vector<std::byte> out(3 * 512);
  const auto part = [&](std::size_t i) { return IoSpan(out).subspan(i * 512, 512); };
  held.shut();
  spawn(two.lun->read(context, 0, part(0)), ends.note("standby"));
  two.wait_until([&] { return held.reached(); });
  *doubt = true;
  spawn(two.lun->read(context, 8192, part(1)), ends.note("doubt"));
  spawn(two.lun->read(context, 16384, part(2)), ends.note("behind"));
  two.pause(milliseconds(20));
  const std::size_t before = two.first.answers();
  held.open([&] { return two.first.answers() >= before + 3; });
  two.wait_until([&] { return ends.count() == 3; });
  EXPECT_FALSE(*doubt);
  EXPECT_TRUE(std::equal(part(2).begin(), part(2).end(), right.begin() + 16384));
  EXPECT_TRUE(std::equal(part(1).begin(), part(1).end(), right.begin() + 8192));
  EXPECT_EQ(two.options.shared->doubts.load(), 1U);
}

}  // namespace
}  // namespace lunfs::iscsi
