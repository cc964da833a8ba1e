#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"
#include "volume/vhd/dynamic_header.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;

constexpr const char* kVhd = "VHD-11111111-aaaa-4aaa-8aaa-111111111111";
constexpr const char* kDmVhd =
    "VG_XenStorage--7f3c2a10--5b1e--4d6a--9c1f--0123456789ab-VHD--11111111--aaaa--4aaa--8aaa--"
    "111111111111";

struct NameCase {
  const char* name;
  std::string stored;
  std::string lv_name;
};

class ParentNames : public ::testing::TestWithParam<NameCase> {};

TEST_P(ParentNames, GiveTheLvsName) {
  EXPECT_EQ(lv_name_of_parent(GetParam().stored), GetParam().lv_name);
}

const std::string kDm = kDmVhd;
const std::string kPlain = kVhd;

const NameCase kNameCases[] = {
    {"DeviceMappersForm", kDm, kPlain},
    {"WithItsFolder", "/dev/mapper/" + kDm, kPlain},
    {"WithADot", "./" + kDm, kPlain},
    {"WithABackslash", ".\\" + kDm, kPlain},
    {"WindowsPath", "C:\\disks\\" + kDm, kPlain},
    {"RawParent",
     "VG_XenStorage--7f3c2a10--5b1e--4d6a--9c1f--0123456789ab-LV--44444444--dddd--4ddd--8ddd--"
     "444444444444",
     "LV-44444444-dddd-4ddd-8ddd-444444444444"},
    {"VgWithoutDashes", "vg-VHD--11111111--aaaa--4aaa--8aaa--111111111111", kPlain},
    {"LvWithoutDashes", "VG_XenStorage--7f3c2a10-data", "data"},
    {"VgEndsInADash", "vg---lv", "lv"},
    // The plain name has single dashes, which are no separators.
    {"PlainName", kPlain, kPlain},
    {"PlainNameOfARawLv", "LV-44444444-dddd-4ddd-8ddd-444444444444",
     "LV-44444444-dddd-4ddd-8ddd-444444444444"},
    {"PlainNameInItsVg", "/dev/VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab/" + kPlain,
     kPlain},
    {"PlainNameWithADot", ".\\" + kPlain, kPlain},
    {"NoDashAtAll", "base", "base"},
    {"FileOfAnotherTool", "images/base.vhd", "base.vhd"},
    {"DoubledDashesOnly", "VHD--1--2", "VHD--1--2"},
    {"Empty", "", ""},
    {"FolderOnly", "/dev/mapper/", ""},
    {"Dot", "./.", ""},
    {"DotDot", "..", ""},
    {"DotBehindAVg", "a--b-.", ""},
    {"DotDotBehindAVg", "a--b-..", ""},
    {"VgOnly", "a--b-", ""},
    {"Dashes", "-----", ""},
};

INSTANTIATE_TEST_SUITE_P(Table, ParentNames, ::testing::ValuesIn(kNameCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LocatorText, MacXLosesItsScheme) {
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text("file://./" + kDm)), "./" + kDm);
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text("file:///dev/mapper/x")), "/dev/mapper/x");
}

TEST(LocatorText, MacXWithoutASchemeIsTakenAsItIs) {
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text("./x")), "./x");
}

TEST(LocatorText, WindowsPlatformsAreUtf16LittleEndian) {
  for (const std::uint32_t platform : {kPlatformW2ku, kPlatformW2ru}) {
    EXPECT_EQ(locator_text(platform, testing::utf16(u".\\é", ByteOrder::kLittle)), ".\\é");
  }
}

TEST(LocatorText, EndsAtTheFirstNul) {
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text(std::string("file://x\0\0", 10))), "x");
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text(std::string("file://x\0\xFF", 10))), "x");
  EXPECT_EQ(locator_text(kPlatformW2ku, testing::hex("7800 0000 00d8")), "x");
}

TEST(LocatorText, WhatIsNoTextIsEmpty) {
  EXPECT_EQ(locator_text(kPlatformW2ku, testing::hex("7800 79")), "");  // half a unit
  EXPECT_EQ(locator_text(kPlatformW2ku, testing::hex("00d8 7800")), "");
  EXPECT_EQ(locator_text(kPlatformW2ku, testing::hex("00d8")), "");
  EXPECT_EQ(locator_text(kPlatformMacX, {}), "");
  EXPECT_EQ(locator_text(kPlatformMacX, testing::text("file://a\nb")), "");
}

TEST(LocatorText, OtherPlatformsAreNotRead) {
  EXPECT_EQ(locator_text(0x57693272, testing::text("file://x")), "");
  EXPECT_EQ(locator_text(0, testing::text("file://x")), "");
}

class BadUtf8 : public ::testing::TestWithParam<const char*> {};

TEST_P(BadUtf8, IsNoText) {
  Bytes bytes = testing::text("x");
  const Bytes bad = testing::hex(GetParam());
  bytes.insert(bytes.end(), bad.begin(), bad.end());
  EXPECT_EQ(locator_text(kPlatformMacX, bytes), "");
  bytes.push_back(std::byte{'y'});
  EXPECT_EQ(locator_text(kPlatformMacX, bytes), "");
}

INSTANTIATE_TEST_SUITE_P(Table, BadUtf8,
                         ::testing::Values("80",  // goes on without a beginning
                                           "c3",  // cut short
                                           "e697", "f09f92",
                                           "c0af",      // '/' in two bytes
                                           "e080af",    // '/' in three
                                           "f08080af",  // '/' in four
                                           "eda080",    // a surrogate
                                           "f4908080",  // beyond Unicode
                                           "f8888080", "ff",
                                           "7f",  // control characters
                                           "c29b"));

TEST(LocatorText, Utf8AtTheLimitsIsText) {
  for (const char* digits :
       {"c2a0", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf"}) {
    const Bytes bytes = testing::hex(digits);
    EXPECT_EQ(locator_text(kPlatformMacX, bytes), as_text(bytes)) << digits;
  }
}

}  // namespace
}  // namespace lunfs::vhd
