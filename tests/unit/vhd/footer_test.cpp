#include "volume/vhd/footer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using testing::Damage;
using testing::error_of;
using testing::footer_with;
using ::testing::HasSubstr;

TEST(Footer, EveryFieldIsRead) {
  const Footer footer = parse_footer(testing::footer());
  EXPECT_EQ(footer.type, DiskType::kDynamic);
  EXPECT_EQ(footer.header_offset, 512U);
  EXPECT_EQ(footer.size_bytes, 64U << 20U);
  EXPECT_EQ(footer.uuid.text(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_FALSE(footer.hidden);
  EXPECT_EQ(footer.creator, "tap");
  EXPECT_EQ(footer.creator_version, 0x00010003U);
}

TEST(Footer, OriginalSizeAndGeometryDoNotCount) {
  EXPECT_EQ(parse_footer(footer_with(40, "0000000000000200")).size_bytes, 64U << 20U);
  EXPECT_EQ(parse_footer(footer_with(56, "ffffffff")).size_bytes, 64U << 20U);
}

TEST(Footer, AnyHiddenByteButZeroHides) {
  EXPECT_TRUE(parse_footer(footer_with(85, "01")).hidden);
  EXPECT_TRUE(parse_footer(footer_with(85, "80")).hidden);
  EXPECT_FALSE(parse_footer(footer_with(84, "01")).hidden);  // saved state
  EXPECT_FALSE(parse_footer(footer_with(86, "01")).hidden);
}

TEST(Footer, FeaturesAndReservedBytesAreNoGroundForRefusal) {
  for (const std::uint64_t offset : {8U, 11U, 24U, 36U, 84U, 86U, 511U}) {
    EXPECT_NO_THROW((void)parse_footer(footer_with(offset, "ff"))) << "offset " << offset;
  }
}

TEST(Footer, WhatFollowsTheFooterDoesNotCount) {
  Bytes longer = testing::footer();
  longer.resize(1024, std::byte{0xEE});
  EXPECT_EQ(parse_footer(longer).size_bytes, 64U << 20U);
}

TEST(Footer, CreatorLosesItsPadding) {
  EXPECT_EQ(parse_footer(footer_with(28, "76706320")).creator, "vpc");
  EXPECT_EQ(parse_footer(footer_with(28, "786f0000")).creator, "xo");
  EXPECT_EQ(parse_footer(footer_with(28, "71656d75")).creator, "qemu");
  EXPECT_EQ(parse_footer(footer_with(28, "00000000")).creator, "");
}

TEST(Footer, CreatorIsFitForAMessage) {
  EXPECT_EQ(parse_footer(footer_with(28, "1b5b0aff")).creator, ".[..");
}

TEST(Footer, OnlyTapIsTap) {
  EXPECT_TRUE(parse_footer(testing::footer()).by_tap());
  EXPECT_FALSE(parse_footer(footer_with(28, "74617064")).by_tap());
  EXPECT_FALSE(parse_footer(footer_with(28, "54617000")).by_tap());
}

TEST(Footer, EveryKnownTypeIsRead) {
  EXPECT_EQ(parse_footer(footer_with(60, "00000002")).type, DiskType::kFixed);
  EXPECT_EQ(parse_footer(footer_with(60, "00000003")).type, DiskType::kDynamic);
  EXPECT_EQ(parse_footer(footer_with(60, "00000004")).type, DiskType::kDifferencing);
}

TEST(Footer, SmallestAndLargestSizes) {
  EXPECT_EQ(parse_footer(footer_with(48, "0000000000000200")).size_bytes, 512U);
  EXPECT_EQ(parse_footer(footer_with(48, "0000020000000000")).size_bytes, kMaxSizeBytes);
}

TEST(Footer, FixedImageHasNoHeader) {
  const Bytes fixed =
      testing::with(footer_with(60, "00000002"), 16, testing::hex("ffffffffffffffff"));
  EXPECT_EQ(parse_footer(testing::sealed(fixed, testing::kFooterChecksumAt)).header_offset, 0U);
}

TEST(Footer, FarthestPlaceOfAHeader) {
  EXPECT_EQ(parse_footer(footer_with(16, "000001fffffffe00")).header_offset, kMaxSizeBytes - 512);
}

TEST(Footer, ChecksumOfTheVisibleImageIsGoodForOldTap) {
  // 1.1 hid an image and left its checksum as it was.
  const Bytes visible = footer_with(32, "00010001");
  EXPECT_TRUE(parse_footer(testing::with(visible, 85, testing::hex("01"))).hidden);
}

TEST(Footer, ChecksumOfTheVisibleImageIsBadForOthers) {
  for (const Bytes& visible :
       {testing::footer(), footer_with(32, "00010002"),
        testing::sealed(testing::with(footer_with(32, "00010001"), 28, testing::text("win ")),
                        testing::kFooterChecksumAt)}) {
    const Error error =
        error_of([&] { (void)parse_footer(testing::with(visible, 85, testing::hex("01"))); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("checksum"));
  }
}

TEST(Footer, OldTapsExceptionIsForTheHiddenByteOnly) {
  const Bytes visible = footer_with(32, "00010001");
  const Bytes hidden = testing::with(visible, 85, testing::hex("01"));
  const Error error =
      error_of([&] { (void)parse_footer(testing::with(hidden, 54, testing::hex("01"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
}

TEST(Footer, CutShortIsCorrupt) {
  const Bytes bytes = testing::footer();
  for (const std::size_t size : {0U, 8U, 511U}) {
    const Error error = error_of([&] { (void)parse_footer(ConstByteSpan(bytes).first(size)); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

TEST(Footer, ChecksumErrorTellsBothValues) {
  const Error error =
      error_of([] { (void)parse_footer(testing::with_u32(testing::footer(), 64, 0x12345678)); });
  EXPECT_THAT(error.message(), HasSubstr("0x12345678"));
  EXPECT_THAT(error.message(),
              HasSubstr(fmt::format("{:#x}", load_be<std::uint32_t>(testing::footer(), 64))));
}

TEST(Footer, PoisonTellsWhatToDo) {
  const Error error = error_of(
      [] { (void)parse_footer(testing::with(testing::footer(), 0, testing::text("v_poison"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_THAT(error.remedy(), HasSubstr("scan the SR"));
}

class FooterDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(FooterDamage, IsFoundAndNamed) {
  const Damage& damage = GetParam();
  Bytes bytes = testing::with(testing::footer(), damage.offset, testing::hex(damage.digits));
  if (damage.seal) bytes = testing::sealed(bytes, testing::kFooterChecksumAt);
  const Error error = error_of([&] { (void)parse_footer(bytes); });
  EXPECT_EQ(error.kind(), damage.kind) << error.message();
  EXPECT_THAT(error.message(), HasSubstr(damage.word));
}

constexpr ErrorKind kCorrupt = ErrorKind::kCorrupt;
constexpr ErrorKind kUnsupported = ErrorKind::kUnsupported;

const Damage kDamages[] = {
    {"CookieOtherCase", 0, "43", true, kCorrupt, "cookie is 'Conectix'"},
    {"CookieZero", 0, "0000000000000000", true, kCorrupt, "cookie is '........'"},
    {"CookieLastByte", 7, "79", true, kCorrupt, "cookie is 'conectiy'"},
    {"Poison", 0, "765f706f69736f6e", true, ErrorKind::kBusy, "v_poison"},
    {"PoisonWithAnyChecksum", 0, "765f706f69736f6e", false, ErrorKind::kBusy, "v_poison"},
    {"Features", 11, "03", false, kCorrupt, "checksum"},
    {"VersionBit", 15, "01", false, kCorrupt, "checksum"},
    {"VersionTwo", 12, "00020000", true, kUnsupported, "version is 0x20000"},
    {"VersionMinor", 12, "00010001", true, kUnsupported, "version is 0x10001"},
    {"VersionZero", 12, "00000000", true, kUnsupported, "version"},
    {"HeaderOffsetBit", 22, "03", false, kCorrupt, "checksum"},
    {"HeaderOffsetZero", 16, "0000000000000000", true, kCorrupt, "header is at byte 0"},
    {"HeaderOffsetOdd", 16, "0000000000000201", true, kCorrupt, "header is at byte 513"},
    {"HeaderOffsetOfFixed", 16, "ffffffffffffffff", true, kCorrupt, "header is at"},
    {"HeaderOffsetHuge", 16, "fffffffffffffe00", true, kCorrupt, "header is at"},
    {"HeaderOffsetLimit", 16, "0000020000000000", true, kCorrupt, "header is at"},
    {"Timestamp", 24, "00", false, kCorrupt, "checksum"},
    {"Creator", 28, "75", false, kCorrupt, "checksum"},
    {"CreatorVersion", 35, "04", false, kCorrupt, "checksum"},
    {"Tap01", 32, "00000001", true, kUnsupported, "tap 0.1"},
    {"CreatorSystem", 36, "01", false, kCorrupt, "checksum"},
    {"OriginalSize", 40, "01", false, kCorrupt, "checksum"},
    {"SizeBit", 53, "01", false, kCorrupt, "checksum"},
    {"SizeZero", 48, "0000000000000000", true, kCorrupt, "size is 0"},
    {"SizeOdd", 48, "0000000004000001", true, kCorrupt, "size is 67108865"},
    {"SizeHalfASector", 48, "0000000004000100", true, kCorrupt, "multiple of 512"},
    {"SizeOneSectorOver", 48, "0000020000000200", true, kUnsupported, "size is 2199023256064"},
    {"SizeAllOnes", 48, "fffffffffffffe00", true, kUnsupported, "size is"},
    {"Geometry", 56, "ff", false, kCorrupt, "checksum"},
    {"TypeNone", 60, "00000000", true, kUnsupported, "type is 0"},
    {"TypeReserved1", 60, "00000001", true, kUnsupported, "type is 1"},
    {"TypeReserved5", 60, "00000005", true, kUnsupported, "type is 5"},
    {"TypeReserved6", 60, "00000006", true, kUnsupported, "type is 6"},
    {"TypeHuge", 60, "03000003", true, kUnsupported, "type is 50331651"},
    {"TypeBit", 63, "04", false, kCorrupt, "checksum"},
    {"Checksum", 64, "00000000", false, kCorrupt, "checksum is 0x00000000"},
    {"Uuid", 68, "01", false, kCorrupt, "checksum"},
    {"SavedState", 84, "01", false, kCorrupt, "checksum"},
    {"Hidden", 85, "01", false, kCorrupt, "checksum"},
    {"Reserved", 86, "01", false, kCorrupt, "checksum"},
    {"LastByte", 511, "01", false, kCorrupt, "checksum"},
};

INSTANTIATE_TEST_SUITE_P(Table, FooterDamage, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace lunfs::vhd
