#include "iscsi/write_journal.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using Kind = WriteJournal::Kind;

constexpr std::size_t kLimit = std::size_t{1} << 20U;
constexpr std::size_t kBlock = 4096;

std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

bool append(WriteJournal& journal, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  const std::array<ConstIoSpan, 1> parts = {bytes};
  return journal.append_data(offset, parts);
}

std::vector<std::byte> data_of(const WriteJournal& journal, WriteJournal::Number number) {
  std::vector<std::byte> all;
  for (const ConstIoSpan part : journal.data(number))
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(WriteJournal, KeepsChangesInTheOrderOfTheirAcknowledgement) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  journal.append({.offset = kBlock, .length = kBlock, .kind = Kind::kZeroes});
  append(journal, 0, filled(kBlock, 2));
  ASSERT_EQ(journal.mark() - journal.first(), 3U);
  EXPECT_EQ(data_of(journal, journal.first()), filled(kBlock, 1));
  EXPECT_EQ(journal.at(journal.first() + 1).kind, Kind::kZeroes);
  EXPECT_EQ(data_of(journal, journal.first() + 2), filled(kBlock, 2));
}

TEST(WriteJournal, PartsOfAWriteAreOneChange) {
  WriteJournal journal(kLimit);
  const auto first = filled(kBlock, 1);
  const auto second = filled(kBlock, 2);
  const std::array<ConstIoSpan, 2> parts = {first, second};
  EXPECT_TRUE(journal.append_data(512, parts));
  EXPECT_EQ(journal.at(journal.first()).length, 2 * kBlock);
  auto both = first;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(data_of(journal, journal.first()), both);
}

TEST(WriteJournal, ForgetsWhatIsOlderThanAMark) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  const auto mark = journal.mark();
  append(journal, 0, filled(kBlock, 2));
  journal.discard_until(mark);
  EXPECT_EQ(journal.bytes(), kBlock);
  EXPECT_EQ(journal.first(), mark);
  EXPECT_EQ(data_of(journal, mark), filled(kBlock, 2));
}

TEST(WriteJournal, MarkOfLongAgoForgetsNothing) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  const auto mark = journal.mark();
  append(journal, 0, filled(kBlock, 2));
  journal.discard_until(journal.mark());
  append(journal, 0, filled(kBlock, 3));
  journal.discard_until(mark);
  EXPECT_EQ(journal.bytes(), kBlock);
}

TEST(WriteJournal, IsBoundedInBytes) {
  WriteJournal journal(kLimit);
  EXPECT_TRUE(append(journal, 0, filled(kLimit - kBlock, 1)));
  EXPECT_TRUE(journal.fits(kBlock));
  EXPECT_FALSE(journal.fits(kBlock + 1));
  EXPECT_FALSE(journal.fits(std::numeric_limits<std::uint64_t>::max()));
}

TEST(WriteJournal, IsBoundedInChanges) {
  WriteJournal journal(kLimit);
  for (std::size_t i = 0; i < kLimit / 4096; ++i) {
    EXPECT_TRUE(journal.append({.offset = 0, .length = kBlock, .kind = Kind::kZeroes}));
  }
  EXPECT_FALSE(journal.fits(0));
}

TEST(WriteJournal, IsAQuarterFullBeyondAQuarterOfItsBytes) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kLimit / 4, 1));
  EXPECT_FALSE(journal.quarter_full());
  append(journal, 0, filled(512, 1));
  EXPECT_TRUE(journal.quarter_full());
}

TEST(WriteJournal, IsAQuarterFullBeyondAQuarterOfItsChanges) {
  WriteJournal journal(kLimit);
  for (std::size_t i = 0; i < kLimit / 4096 / 4; ++i) {
    journal.append({.offset = 0, .length = kBlock, .kind = Kind::kZeroes});
  }
  EXPECT_FALSE(journal.quarter_full());
  journal.append({.offset = 0, .length = kBlock, .kind = Kind::kZeroes});
  EXPECT_TRUE(journal.quarter_full());
}

TEST(WriteJournal, WhatDoesNotFitLeavesNothingOlderBehind) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  EXPECT_FALSE(append(journal, 0, filled(kLimit, 2)));
  EXPECT_TRUE(journal.empty());
  EXPECT_TRUE(append(journal, 0, filled(kBlock, 3)));
  EXPECT_EQ(data_of(journal, journal.first()), filled(kBlock, 3));
}

TEST(WriteJournal, OneThatWasLeftOutHasNoDataAndItsPlaceComesBackWithTheOthers) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  append(journal, 0, filled(kBlock, 2));
  journal.drop(journal.first());
  EXPECT_EQ(journal.at(journal.first()).kind, Kind::kDropped);
  EXPECT_EQ(data_of(journal, journal.first()), filled(0, 0));
  EXPECT_EQ(data_of(journal, journal.first() + 1), filled(kBlock, 2));
  journal.discard_until(journal.mark());
  EXPECT_EQ(journal.bytes(), 0U);
}

TEST(WriteJournal, ChangeWithoutDataThatIsLeftAloneHarmsNoDataBehindIt) {
  WriteJournal journal(kLimit);
  append(journal, 0, filled(kBlock, 1));
  const auto zeroes = journal.mark();
  journal.append({.offset = 0, .length = kBlock, .kind = Kind::kZeroes});
  journal.discard_until(zeroes);
  const auto data = journal.mark();
  append(journal, 0, filled(kBlock, 2));
  EXPECT_EQ(journal.at(zeroes).kind, Kind::kZeroes);
  EXPECT_EQ(data_of(journal, data), filled(kBlock, 2));
  journal.discard_until(data);
  EXPECT_EQ(data_of(journal, data), filled(kBlock, 2));
}

TEST(WriteJournal, WithoutMemoryNothingFits) {
  WriteJournal journal(0);
  EXPECT_FALSE(journal.fits(0));
  EXPECT_FALSE(append(journal, 0, filled(512, 1)));
  EXPECT_TRUE(journal.empty());
}

TEST(WriteJournal, RangeThatOverflowsIsAnError) {
  WriteJournal journal(kLimit);
  const std::uint64_t last = std::numeric_limits<std::uint64_t>::max() - 100;
  EXPECT_THROW(append(journal, last, filled(512, 1)), Error);
  EXPECT_THROW(journal.append({.offset = last, .length = 512, .kind = Kind::kZeroes}), Error);
  EXPECT_TRUE(journal.empty());
}

TEST(WriteJournal, KeptDataIsWholeWhereverItLies) {
  WriteJournal journal(kLimit);
  std::minstd_rand random(7);
  int value = 0;
  std::vector<std::pair<WriteJournal::Number, std::vector<std::byte>>> kept;
  for (int round = 0; round < 3000; ++round) {
    const auto bytes = filled((1 + random() % 64) * 512, ++value);
    while (!journal.fits(bytes.size())) {
      const auto until = journal.first() + 1 + random() % 20;
      journal.discard_until(until);
      std::erase_if(kept, [&](const auto& one) { return one.first < until; });
    }
    kept.emplace_back(journal.mark(), bytes);
    ASSERT_TRUE(append(journal, 0, bytes));
    const auto& [number, expected] = kept[random() % kept.size()];
    ASSERT_EQ(data_of(journal, number), expected) << round;
  }
}

}  // namespace
}  // namespace lunfs::iscsi
