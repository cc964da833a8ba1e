#include "volume/lvm/label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/unit/lvm/lvm_image.h"
#include "volume/lvm/crc.h"

namespace lunfs::lvm {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using testing::fix_label;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::put_label;

constexpr std::uint64_t kLabel = 512;

Bytes good() {
  Bytes image(4096);
  put_label(image, {{4096, 65536}});
  return image;
}

void put_chars(Bytes& image, std::uint64_t offset, std::string_view text) {
  std::memcpy(&image.at(offset), text.data(), text.size());
}

void expect_refused(const Bytes& image, ErrorKind kind, const std::string& what) {
  try {
    static_cast<void>(parse_label(image));
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message() + " / " + error.cause(), HasSubstr(what));
    EXPECT_NE(error.cause(), "") << error.message();
    EXPECT_NE(error.remedy(), "") << error.message();
  }
}

TEST(Crc, HasTheVectorsOfTheFormatPage) {
  EXPECT_EQ(crc(as_byte_span("")), 0xf597a6cfU);
  EXPECT_EQ(crc(as_byte_span("a")), 0x319b1949U);
  EXPECT_EQ(crc(as_byte_span("123456789")), 0x4991cf02U);
  EXPECT_EQ(crc(Bytes(512)), 0x6790aecbU);
}

TEST(Crc, OfTwoPiecesIsThatOfTheWhole) {
  EXPECT_EQ(crc(as_byte_span("56789"), crc(as_byte_span("1234"))), 0x4991cf02U);
}

TEST(Label, EveryFieldIsRead) {
  const PvLabel label = parse_label(good());
  EXPECT_EQ(label.sector, 1U);
  EXPECT_EQ(label.pv_uuid.text(), testing::kPvUuid);
  EXPECT_EQ(label.device_size, 4096U);
  EXPECT_THAT(label.data_areas, ElementsAre(DiskArea{testing::kPeStart, 0}));
  EXPECT_THAT(label.metadata_areas, ElementsAre(DiskArea{4096, 65536}));
  EXPECT_THAT(label.bootloader_areas, IsEmpty());
  EXPECT_EQ(label.extension_version, 2U);
  EXPECT_TRUE(label.in_use);
  EXPECT_THAT(label.warnings, IsEmpty());
}

TEST(Label, AnySectorFromZeroToThreeCounts) {
  for (const std::uint64_t sector : {0U, 2U, 3U}) {
    Bytes image = good();
    std::memmove(&image.at(sector * 512), &image.at(512), 512);
    std::memset(&image.at(512), 0, 512);
    store_le(ByteSpan(image), sector * 512 + 8, sector);
    fix_label(image, sector);
    EXPECT_EQ(parse_label(image).sector, sector);
  }
}

TEST(Label, SectorFourIsNotLookedAt) {
  Bytes image = good();
  std::memmove(&image.at(2048), &image.at(512), 512);
  std::memset(&image.at(512), 0, 512);
  store_le<std::uint64_t>(ByteSpan(image), 2048 + 8, 4);
  fix_label(image, 4);
  expect_refused(image, ErrorKind::kNotFound, "no LVM label in sectors 0 to 3");
}

TEST(Label, WrongCrcIsSaidSo) {
  Bytes image = good();
  image[600] ^= std::byte{1};
  expect_refused(image, ErrorKind::kCorrupt, "label in sector 1: its CRC is 0x");
}

TEST(Label, WrongIdIsNoLabelEvenWithTheRightType) {
  Bytes image = good();
  image[kLabel] = std::byte{'X'};
  expect_refused(image, ErrorKind::kNotFound, "not a PV");
}

TEST(Label, AnotherSectorsLabelIsRefused) {
  Bytes image = good();
  store_le<std::uint64_t>(ByteSpan(image), kLabel + 8, 2);
  fix_label(image);
  expect_refused(image, ErrorKind::kCorrupt, "says that it is in sector 2");
}

TEST(Label, AnotherTypeIsRefused) {
  Bytes image = good();
  put_chars(image, kLabel + 24, "LVM1 001");
  fix_label(image);
  expect_refused(image, ErrorKind::kCorrupt, "type is \"LVM1 001\", expected \"LVM2 001\"");
}

TEST(Label, HeaderOffsetIsCheckedAtItsLimits) {
  for (const std::uint32_t offset : {0U, 31U, 473U, 512U, 0xffffffffU}) {
    Bytes image = good();
    store_le(ByteSpan(image), kLabel + 20, offset);
    fix_label(image);
    expect_refused(image, ErrorKind::kCorrupt, "PV header's offset is " + std::to_string(offset));
  }
}

TEST(Label, HeaderMayLieElsewhereInTheSector) {
  Bytes image = good();
  std::memmove(&image.at(kLabel + 128), &image.at(kLabel + 32), 300);
  store_le<std::uint32_t>(ByteSpan(image), kLabel + 20, 128);
  fix_label(image);
  EXPECT_EQ(parse_label(image).metadata_areas.size(), 1U);
}

TEST(Label, UuidOutsideTheAlphabetIsRefused) {
  Bytes image = good();
  image[kLabel + 32] = std::byte{'/'};
  fix_label(image);
  expect_refused(image, ErrorKind::kCorrupt, "is not an LVM uuid");
}

TEST(Label, ListWithoutAnEndIsRefused) {
  for (const auto& [from, what] : std::vector<std::pair<std::uint64_t, std::string>>{
           {72, "list of data areas"}, {104, "list of metadata areas"}}) {
    Bytes image = good();
    for (std::uint64_t i = kLabel + from; i < kLabel + 512; ++i) image[i] = std::byte{1};
    fix_label(image);
    expect_refused(image, ErrorKind::kCorrupt, what);
  }
}

TEST(Label, BootloaderListWithoutAnEndIsRefused) {
  Bytes image = good();
  for (std::uint64_t i = kLabel + 144; i < kLabel + 512; ++i) image[i] = std::byte{1};
  fix_label(image);
  expect_refused(image, ErrorKind::kCorrupt, "list of bootloader areas");
}

TEST(Label, NoExtensionIsAnOldPv) {
  Bytes image = good();
  store_le<std::uint32_t>(ByteSpan(image), kLabel + 136, 0);
  fix_label(image);
  const PvLabel label = parse_label(image);
  EXPECT_EQ(label.extension_version, 0U);
  EXPECT_FALSE(label.in_use);
}

TEST(Label, FirstExtensionVersionHasNoFlags) {
  Bytes image = good();
  store_le<std::uint32_t>(ByteSpan(image), kLabel + 136, 1);
  fix_label(image);
  EXPECT_FALSE(parse_label(image).in_use);
}

TEST(Label, BootloaderAreaIsRead) {
  Bytes image = good();
  store_le<std::uint64_t>(ByteSpan(image), kLabel + 144, 1 << 20);
  store_le<std::uint64_t>(ByteSpan(image), kLabel + 152, 4096);
  fix_label(image);
  EXPECT_THAT(parse_label(image).bootloader_areas, ElementsAre(DiskArea{1 << 20, 4096}));
}

TEST(Label, SecondGoodLabelIsOnlyAWarning) {
  Bytes image = good();
  std::memmove(&image.at(1024), &image.at(512), 512);
  store_le<std::uint64_t>(ByteSpan(image), 1024 + 8, 2);
  fix_label(image, 2);
  const PvLabel label = parse_label(image);
  EXPECT_EQ(label.sector, 1U);
  EXPECT_THAT(label.warnings, ElementsAre(HasSubstr("sector 2: a second one")));
}

TEST(Label, DamagedLabelBesideAGoodOneIsOnlyAWarning) {
  Bytes image = good();
  std::memmove(&image.at(0), &image.at(512), 512);
  const PvLabel label = parse_label(image);
  EXPECT_EQ(label.sector, 1U);
  EXPECT_THAT(label.warnings, ElementsAre(HasSubstr("says that it is in sector 1")));
}

TEST(Label, WhatTheLunHoldsInsteadIsGuessed) {
  expect_refused(Bytes(2048), ErrorKind::kNotFound, "the LUN looks empty");
  Bytes boot(2048);
  put_chars(boot, 510, "\x55\xaa");
  expect_refused(boot, ErrorKind::kNotFound, "MBR partition table");
  put_chars(boot, 512, "EFI PART");
  expect_refused(boot, ErrorKind::kNotFound, "GPT partition table");
}

TEST(Label, FewerBytesThanFourSectorsAreCorrupt) {
  try {
    static_cast<void>(parse_label(Bytes(2047)));
    FAIL() << "no error";
  } catch (const Error& error) {  // of the reader, not of the LUN: no cause a user could remove
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("there are only 2047"));
  }
}

}  // namespace
}  // namespace lunfs::lvm
