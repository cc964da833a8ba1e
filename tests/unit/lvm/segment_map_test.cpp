#include "volume/lvm/segment_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"

namespace lunfs::lvm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kStart = 1ULL << 20;
constexpr std::uint64_t kExtent = 64ULL << 10;

Segment linear(std::uint32_t start_le, std::uint32_t count, std::uint32_t pe) {
  return {start_le, count, 0, {{pe}}};
}

SegmentMap fragmented() {
  // 3 segments: the first two touch on the LUN, the third lies before them
  return {kStart, kExtent, {linear(0, 2, 10), linear(2, 3, 12), linear(5, 1, 4)}};
}

/// Two stripes of 2 extents each, in pieces of 8 KiB.
SegmentMap striped() { return {kStart, kExtent, {{0, 4, 16, {{3}, {8}}}}}; }

void expect_refused(std::vector<Segment> segments, const std::string& what,
                    ErrorKind kind = ErrorKind::kCorrupt, std::uint64_t extent = kExtent) {
  try {
    const SegmentMap map(kStart, extent, std::move(segments));
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.message(), HasSubstr(what));
  }
}

TEST(SegmentMap, LinearAddsAnOffset) {
  const SegmentMap map(kStart, kExtent, {linear(0, 4, 7)});
  EXPECT_EQ(map.size_bytes(), 4 * kExtent);
  EXPECT_EQ(map.locate(5, 10), (std::vector<Piece>{{5, kStart + 7 * kExtent + 5, 10}}));
}

TEST(SegmentMap, SegmentsThatTouchOnTheLunAreOnePiece) {
  EXPECT_EQ(fragmented().locate(0, 6 * kExtent),
            (std::vector<Piece>{{0, kStart + 10 * kExtent, 5 * kExtent},
                                {5 * kExtent, kStart + 4 * kExtent, kExtent}}));
}

TEST(SegmentMap, FirstAndLastByteOfASegmentAreItsOwn) {
  const SegmentMap map = fragmented();
  EXPECT_EQ(map.first_piece(5 * kExtent - 1, 1).lun_offset, kStart + 15 * kExtent - 1);
  EXPECT_EQ(map.first_piece(5 * kExtent, 1).lun_offset, kStart + 4 * kExtent);
  EXPECT_EQ(map.first_piece(6 * kExtent - 1, 1).lun_offset, kStart + 5 * kExtent - 1);
}

TEST(SegmentMap, StripesTakeTurns) {
  constexpr std::uint64_t kChunk = 16 * 512;
  const std::uint64_t first = kStart + 3 * kExtent;
  const std::uint64_t second = kStart + 8 * kExtent;
  EXPECT_EQ(striped().locate(kChunk - 1, 2 * kChunk),
            (std::vector<Piece>{{kChunk - 1, first + kChunk - 1, 1},
                                {kChunk, second, kChunk},
                                {2 * kChunk, first + kChunk, kChunk - 1}}));
}

TEST(SegmentMap, LastByteOfAStripedSegmentIsTheLastStripesLast) {
  EXPECT_EQ(striped().first_piece(4 * kExtent - 1, 1).lun_offset, kStart + 10 * kExtent - 1);
}

TEST(SegmentMap, RangeBeyondTheEndIsOutOfRange) {
  const SegmentMap map = fragmented();
  for (const auto& [offset, length] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {6 * kExtent, 1}, {6 * kExtent - 1, 2}, {6 * kExtent + 1, 0}, {1, ~0ULL}, {~0ULL, 2}}) {
    EXPECT_THROW(static_cast<void>(map.locate(offset, length)), Error) << offset;
  }
}

TEST(SegmentMap, NoLengthGivesNoPiece) {
  EXPECT_THAT(fragmented().locate(0, 0), IsEmpty());
  EXPECT_THAT(fragmented().locate(6 * kExtent, 0), IsEmpty());
}

TEST(SegmentMap, FirstPieceOfNothingIsRefused) {
  EXPECT_THROW(static_cast<void>(fragmented().first_piece(0, 0)), Error);
}

TEST(SegmentMap, GapIsCorrupt) {
  expect_refused({linear(0, 2, 0), linear(3, 1, 5)}, "expected to start at 2");
}

TEST(SegmentMap, OverlapIsCorrupt) {
  expect_refused({linear(0, 2, 0), linear(1, 1, 5)}, "expected to start at 2");
}

TEST(SegmentMap, FirstSegmentStartsAtZero) {
  expect_refused({linear(1, 2, 0)}, "expected to start at 0");
}

TEST(SegmentMap, NoSegmentIsCorrupt) { expect_refused({}, "no segment"); }
TEST(SegmentMap, EmptySegmentIsCorrupt) { expect_refused({linear(0, 0, 0)}, "0 extents"); }
TEST(SegmentMap, NoStripeIsCorrupt) { expect_refused({{0, 1, 0, {}}}, "no stripe"); }

TEST(SegmentMap, StripesMustDivideTheExtents) {
  expect_refused({{0, 3, 16, {{0}, {8}}}}, "3 extents cannot be divided among 2 stripes");
}

TEST(SegmentMap, StripeSizeZeroIsCorrupt) {
  expect_refused({{0, 2, 0, {{0}, {8}}}}, "stripe size is 0");
}

TEST(SegmentMap, StripeSizeMustDivideTheStripe) {
  expect_refused({{0, 2, 3, {{0}, {8}}}}, "not whole pieces");
}

TEST(SegmentMap, ExtentSizeZeroIsCorrupt) {
  expect_refused({linear(0, 1, 0)}, "extent size is 0", ErrorKind::kCorrupt, 0);
}

TEST(SegmentMap, AddressBeyond64BitsIsOutOfRange) {
  expect_refused({linear(0, 1, 0xffffffff)}, "overflows", ErrorKind::kOutOfRange, 1ULL << 41);
  expect_refused({linear(0, 0xffffffff, 0)}, "overflows", ErrorKind::kOutOfRange, 1ULL << 41);
}

TEST(SegmentMap, LargestExtentNumbersAreMapped) {
  const SegmentMap map(kStart, 4ULL << 20, {linear(0, 1, 0xfffffffe)});
  EXPECT_EQ(map.first_piece(0, 1).lun_offset, kStart + 0xfffffffeULL * (4ULL << 20));
}

/// The same address, worked out byte by byte from the definition.
std::uint64_t address(const std::vector<Segment>& segments, std::uint64_t offset) {
  for (const Segment& segment : segments) {
    const std::uint64_t begin = segment.start_le * kExtent;
    if (offset >= begin + segment.extent_count * kExtent) continue;
    std::uint64_t inside = offset - begin;
    if (segment.stripes.size() == 1) return kStart + segment.stripes[0].first_pe * kExtent + inside;
    const std::uint64_t unit = segment.stripe_size_sectors * 512;
    const std::uint64_t which = (inside / unit) % segment.stripes.size();
    const std::uint64_t row = inside / (unit * segment.stripes.size());
    return kStart + segment.stripes[which].first_pe * kExtent + row * unit + inside % unit;
  }
  return 0;
}

std::vector<Segment> random_segments(std::minstd_rand& random) {
  std::vector<Segment> segments;
  std::uint32_t le = 0;
  std::uint32_t pe = 0;
  for (std::size_t i = 1 + random() % 6; i > 0; --i) {
    Segment segment;
    const auto stripes = static_cast<std::uint32_t>(1 + random() % 3);
    const auto each = static_cast<std::uint32_t>(1 + random() % 3);
    segment.start_le = le;
    segment.extent_count = stripes * each;
    segment.stripe_size_sectors = stripes == 1 ? 0 : 8U << (random() % 4);
    for (std::uint32_t s = 0; s < stripes; ++s) {
      pe += static_cast<std::uint32_t>(random() % 2);
      segment.stripes.push_back({pe});
      pe += each;
    }
    le += segment.extent_count;
    segments.push_back(segment);
  }
  return segments;
}

TEST(SegmentMap, EveryByteOfRandomMapsIsWhereTheDefinitionSays) {
  std::minstd_rand random(7);
  for (int round = 0; round < 200; ++round) {
    const std::vector<Segment> segments = random_segments(random);
    const SegmentMap map(kStart, kExtent, segments);
    const std::uint64_t offset = random() % map.size_bytes();
    const std::uint64_t length = 1 + random() % (map.size_bytes() - offset);
    std::uint64_t next = offset;
    const std::vector<Piece> pieces = map.locate(offset, length);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      ASSERT_EQ(piece.lv_offset, next);
      ASSERT_EQ(piece.lun_offset, address(segments, next));
      ASSERT_EQ(piece.lun_offset + piece.length - 1, address(segments, next + piece.length - 1));
      if (i > 0) {
        ASSERT_NE(piece.lun_offset, pieces[i - 1].lun_offset + pieces[i - 1].length);
      }
      next += piece.length;
    }
    ASSERT_EQ(next, offset + length);
  }
}

// --- the map of the same LV later ---

TEST(SegmentMap, StartsWithItself) {
  EXPECT_TRUE(fragmented().starts_with(fragmented()));
  EXPECT_TRUE(striped().starts_with(striped()));
}

TEST(SegmentMap, OneThatHasGrownStartsWithTheShorterOne) {
  const SegmentMap longer(kStart, kExtent, {linear(0, 2, 10), linear(2, 3, 12), linear(5, 7, 4)});
  const SegmentMap more(kStart, kExtent,
                        {linear(0, 2, 10), linear(2, 3, 12), linear(5, 1, 4), linear(6, 1, 90)});
  const SegmentMap rows(kStart, kExtent, {{0, 8, 16, {{3}, {8}}}});
  EXPECT_TRUE(longer.starts_with(fragmented()));
  EXPECT_TRUE(more.starts_with(fragmented()));
  EXPECT_TRUE(rows.starts_with(striped()));
  EXPECT_FALSE(fragmented().starts_with(longer));
  EXPECT_FALSE(fragmented().starts_with(more));
}

TEST(SegmentMap, GrownStripesKeepEachByteInItsPlace) {
  const SegmentMap rows(kStart, kExtent, {{0, 8, 16, {{3}, {8}}}});
  for (std::uint64_t at = 0; at < striped().size_bytes(); at += 4096) {
    EXPECT_EQ(rows.first_piece(at, 1), striped().first_piece(at, 1)) << at;
  }
}

TEST(SegmentMap, DoesNotStartWithOneWhoseBytesLieElsewhere) {
  const SegmentMap map(kStart, kExtent, {linear(0, 2, 10), linear(2, 3, 20)});
  const SegmentMap moved(kStart, kExtent, {linear(0, 2, 10), linear(2, 3, 21)});
  const SegmentMap first_longer(kStart, kExtent, {linear(0, 3, 10), linear(3, 3, 20)});
  const SegmentMap pv_begins_later(kStart + 512, kExtent, {linear(0, 2, 10), linear(2, 3, 20)});
  const SegmentMap other_extents(kStart, 2 * kExtent, {linear(0, 2, 10), linear(2, 3, 20)});
  const SegmentMap other_pieces(kStart, kExtent, {{0, 4, 32, {{3}, {8}}}});
  const SegmentMap stripes_swapped(kStart, kExtent, {{0, 4, 16, {{8}, {3}}}});
  for (const SegmentMap* other : {&moved, &first_longer, &pv_begins_later, &other_extents}) {
    EXPECT_FALSE(other->starts_with(map));
  }
  EXPECT_FALSE(other_pieces.starts_with(striped()));
  EXPECT_FALSE(stripes_swapped.starts_with(striped()));
}

}  // namespace
}  // namespace lunfs::lvm
