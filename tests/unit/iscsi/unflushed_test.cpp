// Who waits for room in the journal of unflushed writes.
#include "iscsi/unflushed.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"

namespace lunfs::iscsi {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kJournalBytes = std::size_t{1} << 20U;
constexpr std::size_t kPieceBytes = 4096;

class FullJournal : public ::testing::Test {
 protected:
  FullJournal() {
    unflushed_.set_start_flush([this] { ++flushes_; });
    const std::vector<std::byte> piece(kPieceBytes);
    const ConstIoSpan part(piece);
    for (std::uint64_t at = 0;; at += kPieceBytes) {
      Unflushed::Room room;
      if (!unflushed_.take(room, kPieceBytes)) break;
      unflushed_.note_write(at, {&part, 1});
    }
    // The one that began when it was a quarter full.
    EXPECT_EQ(flushes_, 1);
    unflushed_.flush_ended(std::nullopt, kUnsent);
    EXPECT_EQ(flushes_, 1) << "nobody waits for another one";
  }

  struct Waiting {
    Unflushed::Room room;
    RequestContext context;
    bool ended = false;
    std::optional<ErrorKind> fault{};
  };
  void wait(Waiting& one) {
    spawn(unflushed_.wait(one.context, one.room, kPieceBytes),
          [&one](const std::exception_ptr& failure) {
            one.ended = true;
            try {
              if (failure) std::rethrow_exception(failure);
            } catch (const Error& error) {
              one.fault = error.kind();
            }
          });
  }
  void pause(milliseconds length) {
    RequestContext context;
    run_until_done(reactor_, reactor_.sleep_until(context, Reactor::Clock::now() + length));
  }

  const Error kUnsent{ErrorKind::kUnreachable, "no session"};
  Reactor reactor_;
  int flushes_ = 0;
  Unflushed unflushed_{reactor_, "lun", kJournalBytes, std::chrono::seconds(1), true};
};

TEST_F(FullJournal, FlushThatCannotBeSentFailsOnlyWhoWaitedWhenItBegan) {
  Waiting early;
  Waiting late;
  wait(early);
  EXPECT_EQ(flushes_, 2);
  wait(late);
  EXPECT_EQ(flushes_, 2) << "one at a time";
  unflushed_.flush_ended(std::nullopt, kUnsent);
  pause(milliseconds(1));
  EXPECT_EQ(early.fault, ErrorKind::kUnreachable);
  EXPECT_FALSE(late.ended);
  EXPECT_EQ(flushes_, 3) << "another one for who is left";
  unflushed_.flushed(unflushed_.mark());
  unflushed_.flush_ended(std::nullopt, std::nullopt);
  pause(milliseconds(1));
  EXPECT_TRUE(late.ended);
  EXPECT_EQ(late.fault, std::nullopt);
}

TEST_F(FullJournal, FlushThatCannotBeSentFailsWhoCameLaterWhenItFailsOnceMore) {
  Waiting early;
  Waiting late;
  wait(early);
  wait(late);
  unflushed_.set_start_flush([&] { unflushed_.flush_ended(std::nullopt, kUnsent); });
  unflushed_.flush_ended(std::nullopt, kUnsent);
  pause(milliseconds(1));
  EXPECT_EQ(early.fault, ErrorKind::kUnreachable);
  EXPECT_EQ(late.fault, ErrorKind::kUnreachable);
}

TEST_F(FullJournal, WaitForRoomHasALimitOfItsOwn) {
  Waiting one;
  wait(one);
  pause(milliseconds(600));
  Waiting other;
  wait(other);
  pause(milliseconds(600));
  EXPECT_EQ(one.fault, ErrorKind::kUnreachable);
  EXPECT_FALSE(other.ended) << "it counts from when each came";
  unflushed_.flushed(unflushed_.mark());
  unflushed_.flush_ended(std::nullopt, std::nullopt);
  pause(milliseconds(1));
  EXPECT_TRUE(other.ended);
  EXPECT_EQ(other.fault, std::nullopt);
}

}  // namespace
}  // namespace lunfs::iscsi
