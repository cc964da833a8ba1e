#include "volume/vhd/batmap.h"

#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::batmap_header;
using testing::Bytes;
using testing::footer_with;
using testing::hex;
using testing::with;

TEST(Batmap, StandsBehindThePaddedBat) {
  const Footer footer = parse_footer(testing::footer());
  DynamicHeader header = parse_dynamic_header(testing::header());
  EXPECT_EQ(batmap_header_offset(footer, header), 1536U + 512);  // 64 entries: half a sector
  header.bat_entries = 128;
  EXPECT_EQ(batmap_header_offset(footer, header), 1536U + 512);
  header.bat_entries = 129;
  EXPECT_EQ(batmap_header_offset(footer, header), 1536U + 1024);
  header.bat_entries = 1048576;
  EXPECT_EQ(batmap_header_offset(footer, header), 4195840U);
}

TEST(Batmap, LargestTableDoesNotOverflow) {
  DynamicHeader header = parse_dynamic_header(testing::header());
  header.bat_entries = 0xFFFFFFFF;
  header.bat_offset = kMaxSizeBytes - 512;
  EXPECT_EQ(batmap_header_offset(parse_footer(testing::footer()), header),
            kMaxSizeBytes - 512 + (16ULL << 30U));
}

TEST(Batmap, OnlyTapsImagesFrom11OnHaveOne) {
  const DynamicHeader header = parse_dynamic_header(testing::header());
  EXPECT_TRUE(batmap_header_offset(parse_footer(footer_with(32, "00010001")), header));
  EXPECT_TRUE(batmap_header_offset(parse_footer(footer_with(32, "00010002")), header));
  EXPECT_FALSE(batmap_header_offset(parse_footer(footer_with(32, "00010000")), header));
  EXPECT_FALSE(batmap_header_offset(parse_footer(footer_with(28, "71656d75")), header));
}

TEST(Batmap, EveryFieldOfItsHeaderIsRead) {
  const BatmapHeader header = parse_batmap_header(batmap_header()).value();
  EXPECT_EQ(header.offset, 2560U);
  EXPECT_EQ(header.length_bytes, 512U);
  EXPECT_EQ(header.checksum, 0xFFFFFFFFU);
  EXPECT_EQ(header.sign, ByteSign::kUnsigned);
  EXPECT_FALSE(header.encrypted);
}

TEST(Batmap, Version11CountsBytesAsSigned) {
  const auto header = parse_batmap_header(with(batmap_header(), 20, hex("00010001")));
  EXPECT_EQ(header.value().sign, ByteSign::kSigned);
}

TEST(Batmap, FieldsAtTheLimits) {
  EXPECT_EQ(parse_batmap_header(with(batmap_header(), 16, hex("ffffffff"))).value().length_bytes,
            512ULL * 0xFFFFFFFFU);
  EXPECT_EQ(parse_batmap_header(with(batmap_header(), 8, hex("000001fffffffe00"))).value().offset,
            kMaxSizeBytes - 512);
}

TEST(Batmap, MarkerAndReservedBytesDoNotCount) {
  for (const std::uint64_t offset : {28U, 94U, 511U}) {
    EXPECT_FALSE(parse_batmap_header(with(batmap_header(), offset, hex("ff"))).value().encrypted);
  }
}

struct Damage {
  const char* name;
  std::uint64_t offset;
  const char* digits;
};

const Damage kDamages[] = {
    {"CookieFirstByte", 0, "54"},           {"CookieLastByte", 7, "00"},
    {"OffsetZero", 8, "0000000000000000"},  {"OffsetOdd", 8, "0000000000000a01"},
    {"OffsetLimit", 8, "0000020000000000"}, {"OffsetAllOnes", 8, "ffffffffffffffff"},
    {"LengthZero", 16, "00000000"},         {"VersionZero", 20, "00000000"},
    {"Version10", 20, "00010000"},          {"Version13", 20, "00010003"},
};

class BatmapDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(BatmapDamage, MeansNoBatmap) {
  const Bytes bytes = with(batmap_header(), GetParam().offset, hex(GetParam().digits));
  EXPECT_FALSE(parse_batmap_header(bytes).has_value());
}

TEST_P(BatmapDamage, DoesNotHideEncryption) {
  if (GetParam().offset == 0 || GetParam().offset == 7) return;  // no batmap's header at all
  const Bytes bytes = with(batmap_header(), GetParam().offset, hex(GetParam().digits));
  const auto header = parse_batmap_header(with(bytes, 29, hex("01")));
  ASSERT_TRUE(header.has_value());
  EXPECT_TRUE(header->encrypted);
  EXPECT_EQ(header->length_bytes, 0U);
}

INSTANTIATE_TEST_SUITE_P(Table, BatmapDamage, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Batmap, KeyHashMeansEncrypted) {
  const auto header = parse_batmap_header(with(batmap_header(), 29, hex("01"))).value();
  EXPECT_TRUE(header.encrypted);
  EXPECT_EQ(header.length_bytes, 512U);
}

TEST(Batmap, CutShortIsNone) {
  const Bytes bytes = batmap_header();
  EXPECT_FALSE(parse_batmap_header(ConstByteSpan(bytes).first(511)).has_value());
  EXPECT_FALSE(parse_batmap_header({}).has_value());
}

TEST(Batmap, ChecksumGoesOverWholeSectorsOfWhatTheDiskNeeds) {
  EXPECT_EQ(batmap_checked_bytes(512), 512U);
  EXPECT_EQ(batmap_checked_bytes(1ULL << 30U), 512U);
  EXPECT_EQ(batmap_checked_bytes(8ULL << 30U), 512U);  // 4096 blocks of 2 MiB: a sector
  EXPECT_EQ(batmap_checked_bytes((8ULL << 30U) + (1U << 24U)), 1024U);
  EXPECT_EQ(batmap_checked_bytes(kMaxSizeBytes), 131072U);
}

TEST(Batmap, LastBlocksOfSomeSizesAreNotVouchedFor) {
  // 4097 blocks, but the eighth part of that is counted downwards.
  EXPECT_EQ(batmap_checked_bytes((8ULL << 30U) + (2U << 20U)), 512U);
}

TEST(Batmap, RightChecksumIsGood) {
  BatmapHeader header = parse_batmap_header(batmap_header()).value();
  Bytes map(512);
  EXPECT_TRUE(batmap_is_good(header, map));
  map[0] = std::byte{0x80};
  EXPECT_FALSE(batmap_is_good(header, map));
  header.checksum = ~0x80U;
  EXPECT_TRUE(batmap_is_good(header, map));
  header.sign = ByteSign::kSigned;
  EXPECT_FALSE(batmap_is_good(header, map));
  header.checksum = 0x7F;
  EXPECT_TRUE(batmap_is_good(header, map));
}

TEST(Batmap, ShorterThanTheDiskNeedsIsBad) {
  const BatmapHeader header = parse_batmap_header(batmap_header()).value();
  EXPECT_FALSE(batmap_is_good(header, Bytes(1024)));
}

}  // namespace
}  // namespace lunfs::vhd
