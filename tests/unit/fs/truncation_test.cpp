#include "fs/truncation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

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

}  // namespace
}  // namespace lunfs::fs
