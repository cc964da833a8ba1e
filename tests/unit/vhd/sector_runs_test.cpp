#include "volume/vhd/sector_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using testing::hex;
using ::testing::IsEmpty;

constexpr std::uint64_t kBlockBytes = 2U << 20U;

TEST(SectorRuns, MostSignificantBitIsTheFirstSector) {
  EXPECT_THAT(sector_runs(hex("80"), 0, 1024),
              ElementsAre(SectorRun{0, 512, true}, SectorRun{512, 512, false}));
  EXPECT_THAT(sector_runs(hex("01"), 6 * 512, 1024),
              ElementsAre(SectorRun{6 * 512, 512, false}, SectorRun{7 * 512, 512, true}));
}

TEST(SectorRuns, SecondByteIsTheNinthSector) {
  EXPECT_THAT(sector_runs(hex("0080"), 7 * 512, 1024),
              ElementsAre(SectorRun{7 * 512, 512, false}, SectorRun{8 * 512, 512, true}));
}

TEST(SectorRuns, WholeBlockIsOneRun) {
  EXPECT_THAT(sector_runs(Bytes(512, std::byte{0xFF}), 0, kBlockBytes),
              ElementsAre(SectorRun{0, kBlockBytes, true}));
  EXPECT_THAT(sector_runs(Bytes(512), 0, kBlockBytes),
              ElementsAre(SectorRun{0, kBlockBytes, false}));
}

TEST(SectorRuns, RangeMayBeginAndEndInsideSectors) {
  EXPECT_THAT(
      sector_runs(hex("40"), 511, 514),
      ElementsAre(SectorRun{511, 1, false}, SectorRun{512, 512, true}, SectorRun{1024, 1, false}));
  EXPECT_THAT(sector_runs(hex("40"), 600, 10), ElementsAre(SectorRun{600, 10, true}));
}

TEST(SectorRuns, ChangeBehindTheRangeDoesNotLengthenIt) {
  Bytes bitmap(512, std::byte{0xFF});
  bitmap[100] = std::byte{0};
  EXPECT_THAT(sector_runs(bitmap, 0, 512), ElementsAre(SectorRun{0, 512, true}));
  EXPECT_THAT(sector_runs(bitmap, 0, 65 * 512), ElementsAre(SectorRun{0, 65 * 512, true}));
}

TEST(SectorRuns, EmptyRangeHasNone) { EXPECT_THAT(sector_runs(hex("ff"), 512, 0), IsEmpty()); }

TEST(SectorRuns, BitmapTooShortIsCorrupt) {
  EXPECT_NO_THROW((void)sector_runs(hex("ff"), 0, 8 * 512));
  EXPECT_EQ(testing::error_of([] { (void)sector_runs(hex("ff"), 0, 8 * 512 + 1); }).kind(),
            ErrorKind::kCorrupt);
  EXPECT_EQ(testing::error_of([] { (void)sector_runs({}, 0, 1); }).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(testing::error_of([] { (void)sector_runs(hex("ff"), ~0ULL, 2); }).kind(),
            ErrorKind::kOutOfRange);
}

/// Runs of random length, so that changes fall on every place of bytes and words.
Bytes random_bitmap(std::mt19937& random) {
  Bytes bitmap(512);
  bool stored = (random() & 1U) != 0;
  const unsigned longest = 1U << (random() % 10U);
  for (std::size_t bit = 0; bit < 4096;) {
    for (std::size_t left = 1 + random() % longest; left > 0 && bit < 4096; --left, ++bit) {
      if (stored) bitmap[bit / 8] |= static_cast<std::byte>(0x80U >> (bit % 8));
    }
    stored = !stored;
  }
  return bitmap;
}

TEST(SectorRuns, SayWhatEachBitSays) {
  std::mt19937 random(20261124);
  for (int round = 0; round < 300; ++round) {
    const Bytes bitmap = random_bitmap(random);
    const std::uint64_t offset = random() % kBlockBytes;
    const std::uint64_t length = 1 + random() % (kBlockBytes - offset);
    std::uint64_t at = offset;
    bool before = false;
    for (const SectorRun& run : sector_runs(bitmap, offset, length)) {
      ASSERT_EQ(run.offset, at);
      ASSERT_GT(run.length, 0U);
      ASSERT_TRUE(at == offset || run.stored != before) << "neighbours are alike at " << at;
      for (std::uint64_t sector = at / 512; sector <= (at + run.length - 1) / 512; ++sector) {
        const auto byte = std::to_integer<unsigned>(bitmap[sector / 8]);
        ASSERT_EQ(run.stored, ((byte >> (7 - sector % 8)) & 1U) != 0) << "sector " << sector;
      }
      at += run.length;
      before = run.stored;
    }
    ASSERT_EQ(at, offset + length);
  }
}

}  // namespace
}  // namespace lunfs::vhd
