#include "volume/vhd/bat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::hex;

constexpr std::uint64_t kMib = 1U << 20U;

/// The usual image: 64 MiB in blocks of 2 MiB in an LV of 16 MiB, its tables in the first 4 KiB.
struct Shape {
  Footer footer = parse_footer(testing::footer());
  DynamicHeader header = parse_dynamic_header(testing::header());
  std::uint64_t lv_bytes = 16 * kMib;
  std::uint64_t metadata_end = 4096;
  bool footer_at_end = true;

  [[nodiscard]] Layout layout() const {
    return make_layout(footer, header, lv_bytes, metadata_end, footer_at_end);
  }
};

TEST(Layout, IsMadeOfFooterAndHeader) {
  const Layout layout = Shape().layout();
  EXPECT_EQ(layout.size_bytes, 64 * kMib);
  EXPECT_EQ(layout.block_bytes, 2 * kMib);
  EXPECT_EQ(layout.bitmap_bytes, 512U);
  EXPECT_EQ(layout.block_count, 32U);
  EXPECT_EQ(layout.bat_offset, 1536U);
  EXPECT_EQ(layout.metadata_end, 4096U);
  EXPECT_EQ(layout.blocks_end, 16 * kMib - 512);
}

TEST(Layout, WithoutAFooterAtTheEndBlocksMayFillTheLv) {
  Shape shape;
  shape.footer_at_end = false;
  EXPECT_EQ(shape.layout().blocks_end, 16 * kMib);
}

TEST(Layout, LastBlockMayBePartOfTheDiskOnly) {
  Shape shape;
  shape.footer.size_bytes = 4 * kMib + 512;
  EXPECT_EQ(shape.layout().block_count, 3U);
  shape.footer.size_bytes = 512;
  EXPECT_EQ(shape.layout().block_count, 1U);
}

TEST(Layout, MetadataCoverHeaderAndTableInAnyCase) {
  Shape shape;
  shape.metadata_end = 0;
  EXPECT_EQ(shape.layout().metadata_end, 1536U + 64 * 4);
  shape.footer.header_offset = 8192;
  EXPECT_EQ(shape.layout().metadata_end, 8192U + 1024);
}

TEST(Layout, TableAsLongAsTheDiskIsEnough) {
  Shape shape;
  shape.footer.size_bytes = 128 * kMib;
  EXPECT_EQ(shape.layout().block_count, 64U);
}

TEST(Layout, TableShorterThanTheDiskIsCorrupt) {
  Shape shape;
  shape.footer.size_bytes = 128 * kMib + 512;
  const Error error = error_of([&] { (void)shape.layout(); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("64 entries"));
  EXPECT_THAT(error.message(), HasSubstr("need 65"));
}

TEST(Layout, MostBlocks) {
  Shape shape;
  shape.lv_bytes = 1ULL << 30U;
  shape.header.bat_entries = 0x01000001;
  shape.header.block_bytes = 512;
  shape.footer.size_bytes = kMaxBlocks * 512;
  EXPECT_EQ(shape.layout().block_count, kMaxBlocks);
  shape.footer.size_bytes += 512;
  const Error error = error_of([&] { (void)shape.layout(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("16777217 blocks"));
}

TEST(Layout, TableMayEndWhereTheFooterBegins) {
  Shape shape;
  shape.metadata_end = 0;
  shape.lv_bytes = 1536 + 64 * 4 + 256 + 512;
  EXPECT_EQ(shape.layout().blocks_end, 2048U);
}

TEST(Layout, TableBeyondTheLvIsCorrupt) {
  for (const std::uint64_t lv_bytes : {0U, 512U, 1024U, 1536U, 2048U}) {
    Shape shape;
    shape.lv_bytes = lv_bytes;
    shape.metadata_end = 0;
    const Error error = error_of([&] { (void)shape.layout(); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("256 bytes from 1536"));
  }
  Shape huge;
  huge.header.bat_entries = 0xFFFFFFFF;
  EXPECT_EQ(error_of([&] { (void)huge.layout(); }).kind(), ErrorKind::kCorrupt);
}

TEST(Layout, TableOnTheHeaderIsCorrupt) {
  for (const std::uint64_t header_offset : {512U, 1024U, 1536U}) {
    Shape shape;
    shape.header.bat_offset = 1024;
    shape.footer.header_offset = header_offset;
    const Error error = error_of([&] { (void)shape.layout(); });
    if (header_offset == 1536) {
      EXPECT_EQ(error.message(), "nothing was thrown");
    } else {
      EXPECT_THAT(error.message(), HasSubstr("where the dynamic header is"));
    }
  }
}

TEST(Layout, MetadataBeyondTheLvIsCorrupt) {
  Shape shape;
  shape.metadata_end = 16 * kMib - 512;
  EXPECT_NO_THROW((void)shape.layout());
  shape.metadata_end += 1;
  const Error error = error_of([&] { (void)shape.layout(); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("end at byte 16776705"));
}

TEST(Bat, EntryIsTheSectorOfTheBitmap) {
  const Bat bat(Shape().layout(), 0, hex("00000008 ffffffff 00001010"));
  EXPECT_EQ(bat.count(), 3U);
  EXPECT_TRUE(bat.locate(0).allocated);
  EXPECT_EQ(bat.locate(0).bitmap_offset, 4096U);
  EXPECT_EQ(bat.locate(0).data_offset, 4608U);
  EXPECT_FALSE(bat.locate(1).allocated);
  EXPECT_EQ(bat.locate(2).bitmap_offset, 0x1010U * 512);
}

TEST(Bat, PieceBeginsAtItsFirstBlock) {
  const Bat bat(Shape().layout(), 30, hex("00000008 ffffffff"));
  EXPECT_EQ(bat.first_block(), 30U);
  EXPECT_TRUE(bat.locate(30).allocated);
  EXPECT_FALSE(bat.locate(31).allocated);
}

TEST(Bat, EntriesBehindTheDiskDoNotCount) {
  const Bat bat(Shape().layout(), 31, hex("00000008 00000000 00000001"));
  EXPECT_THAT(bat.sectors(), ElementsAre(8U));
  EXPECT_EQ(Bat(Shape().layout(), 32, hex("00000000")).count(), 0U);
  EXPECT_EQ(Bat(Shape().layout(), ~0ULL, hex("00000000")).count(), 0U);
}

TEST(Bat, PartOfAnEntryDoesNotCount) {
  EXPECT_EQ(Bat(Shape().layout(), 0, hex("00000008 000000")).count(), 1U);
  EXPECT_EQ(Bat(Shape().layout(), 0, {}).count(), 0U);
}

struct EntryCase {
  const char* name;
  const char* digits;
  bool good;
};

class BatEntries : public ::testing::TestWithParam<EntryCase> {};

TEST_P(BatEntries, LieBetweenTheMetadataAndTheFooter) {
  const auto parse = [] {
    return Bat(Shape().layout(), 4, hex(std::string("ffffffff") + GetParam().digits));
  };
  if (GetParam().good) {
    EXPECT_TRUE(parse().locate(5).allocated);
    return;
  }
  const Error error = error_of(parse);
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("block 5"));
  EXPECT_THAT(
      error.message(),
      HasSubstr(fmt::format("sector {}", load_be<std::uint32_t>(hex(GetParam().digits), 0))));
}

// 16 MiB are 32768 sectors; a block takes 4097 of them, the footer one.
const EntryCase kEntryCases[] = {
    {"FootersCopy", "00000000", false},           {"LastOfTheMetadata", "00000007", false},
    {"FirstBehindTheMetadata", "00000008", true}, {"LastThatFits", "00006ffe", true},
    {"OnTheFooter", "00006fff", false},           {"LastSector", "00007fff", false},
    {"BeyondTheLv", "00008000", false},           {"Largest", "fffffffe", false},
};

INSTANTIATE_TEST_SUITE_P(Table, BatEntries, ::testing::ValuesIn(kEntryCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Overlaps, NeighboursMayTouch) {
  std::vector<std::uint32_t> sectors{8 + 2 * 4097, 8, 8 + 4097};
  EXPECT_NO_THROW(check_overlaps(Shape().layout(), sectors));
}

TEST(Overlaps, NoneAndOneAreFine) {
  std::vector<std::uint32_t> sectors;
  EXPECT_NO_THROW(check_overlaps(Shape().layout(), sectors));
  sectors = {8};
  EXPECT_NO_THROW(check_overlaps(Shape().layout(), sectors));
}

TEST(Overlaps, OneSharedSectorIsCorruptAndNamed) {
  std::vector<std::uint32_t> sectors{9000, 8 + 4096, 8};
  const Error error = error_of([&] { check_overlaps(Shape().layout(), sectors); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("sectors 8 and 4104"));
}

TEST(Overlaps, TwoBlocksAtOnePlaceAreCorrupt) {
  std::vector<std::uint32_t> sectors{5000, 8, 5000};
  const Error error = error_of([&] { check_overlaps(Shape().layout(), sectors); });
  EXPECT_THAT(error.message(), HasSubstr("sectors 5000 and 5000"));
}

}  // namespace
}  // namespace lunfs::vhd
