#include "fs/truncation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"

namespace lunfs::fs {
namespace {

using Ranges = std::vector<WrittenRanges::Range>;

TEST(WrittenRanges, NothingWrittenIsOneGap) {
  EXPECT_EQ(WrittenRanges().gaps(10), (Ranges{{0, 10}}));
  EXPECT_TRUE(WrittenRanges().gaps(0).empty());
}

TEST(WrittenRanges, GapsAreWhatLiesBetween) {
  WrittenRanges written;
  written.add(2, 3);
  written.add(8, 1);
  EXPECT_EQ(written.gaps(9), (Ranges{{0, 2}, {5, 3}}));
  EXPECT_EQ(written.gaps(12), (Ranges{{0, 2}, {5, 3}, {9, 3}}));
  EXPECT_EQ(written.gaps(3), (Ranges{{0, 2}}));
}

TEST(WrittenRanges, NeighboursAndOverlapsBecomeOne) {
  WrittenRanges written;
  written.add(4, 4);
  written.add(0, 4);
  written.add(6, 10);
  EXPECT_TRUE(written.gaps(16).empty());
}

TEST(WrittenRanges, ZeroLengthWritesNothing) {
  WrittenRanges written;
  written.add(5, 0);
  EXPECT_EQ(written.gaps(10), (Ranges{{0, 10}}));
}

TEST(WrittenRanges, SmallestGapsLieBetweenTwoRuns) {
  WrittenRanges written;
  for (const std::uint64_t at : {10U, 12U, 17U, 19U}) written.add(at, 1);
  EXPECT_EQ(written.runs(), 4U);
  EXPECT_EQ(written.smallest_gaps(100, 10), (Ranges{{11, 1}, {13, 4}, {18, 1}}));
  EXPECT_EQ(written.smallest_gaps(18, 10), (Ranges{{11, 1}, {13, 4}}));
  EXPECT_EQ(written.smallest_gaps(17, 10), (Ranges{{11, 1}, {13, 4}}));
  EXPECT_EQ(written.smallest_gaps(16, 10), (Ranges{{11, 1}}));
  EXPECT_TRUE(WrittenRanges().smallest_gaps(100, 10).empty());
}

TEST(WrittenRanges, SmallestGapsAreTheSmallest) {
  WrittenRanges written;
  for (const std::uint64_t at : {10U, 12U, 17U, 19U}) written.add(at, 1);
  Ranges two = written.smallest_gaps(100, 2);
  std::sort(two.begin(), two.end(), [](auto a, auto b) { return a.offset < b.offset; });
  EXPECT_EQ(two, (Ranges{{11, 1}, {18, 1}}));
  written.add(11, 1);
  EXPECT_EQ(written.runs(), 3U);
}

TEST(WrittenRanges, RandomWritesAgreeWithABitmap) {
  constexpr std::size_t kSize = 64;
  std::minstd_rand random(7);
  for (int round = 0; round < 2000; ++round) {
    WrittenRanges written;
    std::vector<bool> bitmap(kSize);
    for (int i = 0; i < 6; ++i) {
      const std::size_t offset = random() % kSize;
      const std::size_t length = random() % (kSize - offset);
      written.add(offset, length);
      for (std::size_t at = offset; at < offset + length; ++at) bitmap[at] = true;
    }
    std::vector<bool> found(kSize, true);
    for (const auto& gap : written.gaps(kSize)) {
      for (std::size_t at = gap.offset; at < gap.offset + gap.length; ++at) found[at] = false;
    }
    ASSERT_EQ(found, bitmap);
  }
}

/// A disk of old bytes that is open with O_TRUNC, and remembers four runs at most.
class TruncationTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kSize = 256;
  static constexpr std::size_t kMostRuns = 4;
  static constexpr std::byte kOld{0xee};
  static constexpr std::byte kNew{0x11};
  static constexpr std::byte kZero{0};
  enum class By { kTruncating, kAnother };

  TruncationTest() { std::fill(bytes().begin(), bytes().end(), kOld); }

  std::vector<std::byte>& bytes() { return memory_.bytes(); }

  void make_room() { run_until_done(reactor_, truncation_.make_room(context_, writer_)); }
  void write(std::uint64_t offset, std::uint64_t length, By by = By::kTruncating) {
    make_room();
    if (by == By::kTruncating) truncation_.reached(offset + length);
    truncation_.note(offset, length);
    const std::vector<std::byte> data(length, kNew);
    run_until_done(reactor_, faulty_.write(context_, offset, data));
  }
  Task<void> note_one(std::uint64_t offset) {
    co_await truncation_.make_room(context_, writer_);
    truncation_.note(offset, 1);
    EXPECT_LE(runs(), kMostRuns);
  }
  void close(std::uint64_t end) {
    run_until_done(reactor_, truncation_.zero_gaps(context_, writer_, end));
  }
  std::size_t runs() const { return truncation_.runs(); }

  Reactor reactor_;
  RequestContext context_;
  lunfs::testing::MemoryDevice memory_{kSize};
  lunfs::testing::FaultDevice faulty_{reactor_, memory_};
  Durability durability_{faulty_};
  Truncation::Writer writer_{reactor_, faulty_, durability_};
  Truncation truncation_{kMostRuns};
};

TEST_F(TruncationTest, CloseZeroesWhatWasSkippedUpToItsEnd) {
  write(10, 5);
  write(20, 5);
  EXPECT_EQ(bytes()[0], kOld);
  close(25);
  for (std::size_t at = 0; at < kSize; ++at) {
    const bool written = (at >= 10 && at < 15) || (at >= 20 && at < 25);
    EXPECT_EQ(bytes()[at], written ? kNew : at < 25 ? kZero : kOld) << at;
  }
  EXPECT_FALSE(durability_.clean());
}

TEST_F(TruncationTest, FewRunsZeroNothingBeforeTheClose) {
  for (const std::uint64_t at : {0U, 10U, 20U, 30U}) write(at, 1);
  EXPECT_EQ(memory_.counts().zeroes, 0U);
}

TEST_F(TruncationTest, OneRunTooManyZeroesTheSmallestGapAtOnce) {
  for (const std::uint64_t at : {0U, 10U, 13U, 30U}) write(at, 1);
  write(50, 1);
  EXPECT_EQ(runs(), kMostRuns);
  EXPECT_EQ(memory_.counts().zeroes, 1U);
  EXPECT_EQ(bytes()[11], kZero);
  EXPECT_EQ(bytes()[12], kZero);
  EXPECT_EQ(bytes()[9], kOld);
  EXPECT_EQ(bytes()[14], kOld);
}

TEST_F(TruncationTest, WhatOthersWroteBehindItsEndIsNeverZeroed) {
  write(0, 1);
  for (std::uint64_t at = 10; at < 50; at += 2) write(at, 1, By::kAnother);
  EXPECT_LE(runs(), kMostRuns);
  EXPECT_EQ(memory_.counts().zeroes, 0U);
  close(1);
  for (std::size_t at = 1; at < kSize; ++at) EXPECT_NE(bytes()[at], kZero) << at;
}

TEST_F(TruncationTest, PassingForgottenGapsFailsTheClose) {
  write(0, 1);
  for (std::uint64_t at = 10; at < 50; at += 2) write(at, 1, By::kAnother);
  write(60, 1);
  try {
    close(61);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
  }
  // What is known to be skipped is zeroed all the same, and no byte that was written is.
  EXPECT_EQ(bytes()[5], kZero);
  EXPECT_EQ(bytes()[55], kZero);
  for (std::size_t at = 10; at < 50; at += 2) EXPECT_EQ(bytes()[at], kNew) << at;
}

TEST_F(TruncationTest, FailedZeroingRefusesTheChangeAndLosesNothing) {
  for (const std::uint64_t at : {0U, 10U, 13U, 30U}) write(at, 1);
  faulty_.fail_nth(1, Error(ErrorKind::kIo, "no zeros"));
  EXPECT_THROW(make_room(), Error);
  EXPECT_EQ(runs(), kMostRuns);
  close(31);
  EXPECT_EQ(bytes()[11], kZero);
}

TEST_F(TruncationTest, ZeroingWaitsForTheChangesUnderWay) {
  for (const std::uint64_t at : {0U, 10U, 13U, 30U}) write(at, 1);
  auto change = std::make_unique<RangeLock::Entry>(truncation_.line(), reactor_,
                                                   RangeLock::Mode::kShared, 11, 1);
  bool room = false;
  spawn(truncation_.make_room(context_, writer_), [&](const std::exception_ptr&) { room = true; });
  EXPECT_FALSE(room);
  EXPECT_EQ(memory_.counts().zeroes, 0U);
  change.reset();
  reactor_.run_until(room);
  EXPECT_EQ(memory_.counts().zeroes, 1U);
}

TEST_F(TruncationTest, ManyAtOnceStayWithinTheBound) {
  memory_.suspend_through(reactor_);
  for (const std::uint64_t at : {0U, 10U, 20U, 30U}) write(at, 1);
  std::size_t done = 0;
  bool all = false;
  for (std::uint64_t at = 40; at < 200; at += 10) {
    truncation_.reached(at + 1);
    spawn(note_one(at), [&](const std::exception_ptr& failure) {
      EXPECT_EQ(failure, nullptr);
      ++done;
      all = done == 16;
    });
  }
  reactor_.run_until(all);
  EXPECT_EQ(done, 16U);
}

TEST_F(TruncationTest, RandomWritesEndAsIfNothingWereForgotten) {
  std::minstd_rand random(11);
  for (int round = 0; round < 500; ++round) {
    std::fill(bytes().begin(), bytes().end(), kOld);
    Truncation truncation(kMostRuns);
    std::vector<std::byte> expected(kSize, kOld);
    std::vector<bool> written(kSize);
    std::size_t end = 0;
    for (int i = 0; i < 20; ++i) {
      const std::size_t offset = random() % kSize;
      const std::size_t length = 1 + random() % std::min<std::size_t>(6, kSize - offset);
      run_until_done(reactor_, truncation.make_room(context_, writer_));
      truncation.reached(offset + length);
      truncation.note(offset, length);
      ASSERT_LE(truncation.runs(), kMostRuns);
      const std::vector<std::byte> data(length, static_cast<std::byte>(i + 1));
      run_until_done(reactor_, faulty_.write(context_, offset, data));
      std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(offset));
      for (std::size_t at = offset; at < offset + length; ++at) written[at] = true;
      end = std::max(end, offset + length);
    }
    run_until_done(reactor_, truncation.zero_gaps(context_, writer_, end));
    for (std::size_t at = 0; at < end; ++at) {
      if (!written[at]) expected[at] = kZero;
    }
    ASSERT_EQ(bytes(), expected);
  }
}

}  // namespace
}  // namespace lunfs::fs
