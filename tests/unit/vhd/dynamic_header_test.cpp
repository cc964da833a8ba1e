#include "volume/vhd/dynamic_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"
#include "volume/vhd/footer.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using testing::Damage;
using testing::error_of;
using ::testing::HasSubstr;
using testing::header_with;

constexpr std::uint64_t kNameAt = 64;
constexpr std::uint64_t kFirstLocatorAt = 576;
constexpr std::uint64_t kLastLocatorAt = 576 + 7 * 24;

DynamicHeader parsed(std::uint64_t offset, std::string_view digits) {
  return parse_dynamic_header(header_with(offset, digits));
}

DynamicHeader named(const Bytes& name) {
  return parse_dynamic_header(
      testing::sealed(testing::with(testing::header(), kNameAt, name), testing::kHeaderChecksumAt));
}

TEST(DynamicHeader, EveryFieldIsRead) {
  const DynamicHeader header = parse_dynamic_header(testing::header());
  EXPECT_EQ(header.bat_offset, 1536U);
  EXPECT_EQ(header.bat_entries, 64U);
  EXPECT_EQ(header.block_bytes, 2U << 20U);
  EXPECT_TRUE(header.parent_uuid.is_nil());
  EXPECT_EQ(header.parent_name, "");
  for (const ParentLocator& locator : header.locators) EXPECT_EQ(locator.platform, 0U);
}

TEST(DynamicHeader, ParentUuidIsRead) {
  EXPECT_EQ(parsed(40, "39219189eb8547b1a128100b1959e28e").parent_uuid.text(),
            "39219189-eb85-47b1-a128-100b1959e28e");
}

TEST(DynamicHeader, UnusedAndReservedBytesAreNoGroundForRefusal) {
  for (const std::uint64_t offset : {8U, 56U, 60U, 768U, 1023U}) {
    EXPECT_NO_THROW((void)parsed(offset, "00")) << offset;
    EXPECT_NO_THROW((void)parsed(offset, "ee")) << offset;
  }
}

TEST(DynamicHeader, BlockSizesAtTheLimits) {
  EXPECT_EQ(parsed(32, "00000200").block_bytes, 512U);
  EXPECT_EQ(parsed(32, "00080000").block_bytes, 512U << 10U);
  EXPECT_EQ(parsed(32, "00200000").block_bytes, kMaxBlockBytes);
}

TEST(DynamicHeader, BitmapTakesWholeSectors) {
  EXPECT_EQ(parsed(32, "00000200").bitmap_bytes(), 512U);  // one bit
  EXPECT_EQ(parsed(32, "00001000").bitmap_bytes(), 512U);
  EXPECT_EQ(parsed(32, "00200000").bitmap_bytes(), 512U);  // 4096 bits
  DynamicHeader larger;
  larger.block_bytes = 4U << 20U;
  EXPECT_EQ(larger.bitmap_bytes(), 1024U);
}

TEST(DynamicHeader, TablesAtTheLimits) {
  EXPECT_EQ(parsed(28, "00000001").bat_entries, 1U);
  EXPECT_EQ(parsed(28, "ffffffff").bat_entries, 0xFFFFFFFFU);
  EXPECT_EQ(parsed(16, "0000000000000200").bat_offset, 512U);
  EXPECT_EQ(parsed(16, "000001fffffffe00").bat_offset, kMaxSizeBytes - 512);
}

TEST(DynamicHeader, NameEndsAtTheFirstNul) {
  EXPECT_EQ(named(testing::utf16(u"VHD-1", ByteOrder::kBig)).parent_name, "VHD-1");
  EXPECT_EQ(named(testing::utf16(std::u16string(u"a\0b", 3), ByteOrder::kBig)).parent_name, "a");
}

TEST(DynamicHeader, NameMayFillItsField) {
  const std::u16string whole(256, u'x');
  EXPECT_EQ(named(testing::utf16(whole, ByteOrder::kBig)).parent_name, std::string(256, 'x'));
}

TEST(DynamicHeader, NameBecomesUtf8) {
  EXPECT_EQ(named(testing::utf16(u"é日\U0001F4BE", ByteOrder::kBig)).parent_name, "é日\U0001F4BE");
}

TEST(DynamicHeader, NameThatIsNoUtf16IsEmpty) {
  EXPECT_EQ(named(testing::hex("0061 d800 0061")).parent_name, "");  // high without low
  EXPECT_EQ(named(testing::hex("0061 dc00")).parent_name, "");       // low without high
  // a high one in the last place of the field
  Bytes whole = testing::utf16(std::u16string(255, u'x'), ByteOrder::kBig);
  whole.push_back(std::byte{0xD8});
  whole.push_back(std::byte{0x00});
  EXPECT_EQ(named(whole).parent_name, "");
}

TEST(DynamicHeader, NameWithControlCharactersIsEmpty) {
  EXPECT_EQ(named(testing::utf16(u"VHD\n<3>all is well", ByteOrder::kBig)).parent_name, "");
  EXPECT_EQ(named(testing::utf16(u"a\x1B[2J", ByteOrder::kBig)).parent_name, "");
  EXPECT_EQ(named(testing::utf16(u"a\x9B", ByteOrder::kBig)).parent_name, "");
}

TEST(DynamicHeader, CutShortIsCorrupt) {
  const Bytes bytes = testing::header();
  for (const std::size_t size : {0U, 8U, 512U, 1023U}) {
    EXPECT_EQ(
        error_of([&] { (void)parse_dynamic_header(ConstByteSpan(bytes).first(size)); }).kind(),
        ErrorKind::kCorrupt);
  }
}

struct LocatorCase {
  const char* name;
  const char* digits;      // platform, space, length, reserved, offset
  std::uint32_t platform;  // 0: cannot be followed
  std::uint32_t length;
};

class Locators : public ::testing::TestWithParam<LocatorCase> {};

TEST_P(Locators, AreReadOrLeftOut) {
  for (const std::uint64_t place : {kFirstLocatorAt, kLastLocatorAt}) {
    const DynamicHeader header = parsed(place, GetParam().digits);
    const ParentLocator& locator = header.locators[(place - kFirstLocatorAt) / 24];
    EXPECT_EQ(locator.platform, GetParam().platform);
    EXPECT_EQ(locator.length, GetParam().length);
  }
}

const LocatorCase kLocatorCases[] = {
    {"SpaceInBytes", "4d616358 00000200 0000006e 00000000 0000000000420800", kPlatformMacX, 110},
    {"SpaceInSectors", "57326b75 00000001 000000ce 00000000 0000000000420a00", kPlatformW2ku, 206},
    {"SpaceOf511Sectors", "57327275 000001ff 00001000 00000000 0000000000420c00", kPlatformW2ru,
     4096},
    {"ReservedBytes", "57327275 00000200 000000ce ffffffff 0000000000420c00", kPlatformW2ru, 206},
    {"TextFillsItsSpace", "57327275 00000200 00000200 00000000 0000000000420c00", kPlatformW2ru,
     512},
    {"OtherPlatform", "57693272 00000200 000000ce 00000000 0000000000420c00", 0x57693272, 206},
    {"OffsetLimit", "57327275 00000200 000000ce 00000000 000001ffffffffff", kPlatformW2ru, 206},
    {"Unused", "00000000 00000200 000000ce 00000000 0000000000420c00", 0, 0},
    {"NoSpace", "4d616358 00000000 0000006e 00000000 0000000000420800", 0, 0},
    {"SpaceNeither", "4d616358 00000201 0000006e 00000000 0000000000420800", 0, 0},
    {"LongerThanItsSpace", "4d616358 00000200 00000201 00000000 0000000000420800", 0, 0},
    {"LongerThanItsSectors", "4d616358 00000001 00000201 00000000 0000000000420800", 0, 0},
    {"Empty", "4d616358 00000200 00000000 00000000 0000000000420800", 0, 0},
    {"TooLong", "4d616358 00002000 00001001 00000000 0000000000420800", 0, 0},
    {"LengthAllOnes", "4d616358 fffffe00 ffffffff 00000000 0000000000420800", 0, 0},
    {"OffsetTooFar", "4d616358 00000200 0000006e 00000000 0000020000000000", 0, 0},
    {"OffsetAllOnes", "4d616358 00000200 0000006e 00000000 ffffffffffffffff", 0, 0},
};

INSTANTIATE_TEST_SUITE_P(Table, Locators, ::testing::ValuesIn(kLocatorCases),
                         [](const auto& test) { return std::string(test.param.name); });

class HeaderDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(HeaderDamage, IsFoundAndNamed) {
  const Damage& damage = GetParam();
  Bytes bytes = testing::with(testing::header(), damage.offset, testing::hex(damage.digits));
  if (damage.seal) bytes = testing::sealed(bytes, testing::kHeaderChecksumAt);
  const Error error = error_of([&] { (void)parse_dynamic_header(bytes); });
  EXPECT_EQ(error.kind(), damage.kind) << error.message();
  EXPECT_THAT(error.message(), HasSubstr(damage.word));
}

constexpr ErrorKind kCorrupt = ErrorKind::kCorrupt;
constexpr ErrorKind kUnsupported = ErrorKind::kUnsupported;

const Damage kDamages[] = {
    {"CookieFirstByte", 0, "43", true, kCorrupt, "cookie is 'Cxsparse'"},
    {"CookieLastByte", 7, "00", true, kCorrupt, "cookie is 'cxspars.'"},
    {"CookieOfAFooter", 0, "636f6e6563746978", true, kCorrupt, "cookie is 'conectix'"},
    {"DataOffset", 8, "00", false, kCorrupt, "checksum"},
    {"BatOffsetBit", 22, "07", false, kCorrupt, "checksum"},
    {"BatOffsetZero", 16, "0000000000000000", true, kCorrupt, "BAT is at byte 0"},
    {"BatOffsetOdd", 16, "0000000000000601", true, kCorrupt, "BAT is at byte 1537"},
    {"BatOffsetLimit", 16, "0000020000000000", true, kCorrupt, "BAT is at"},
    {"BatOffsetAllOnes", 16, "ffffffffffffffff", true, kCorrupt, "BAT is at"},
    {"VersionBit", 27, "01", false, kCorrupt, "checksum"},
    {"VersionTwo", 24, "00020000", true, kUnsupported, "version is 0x20000"},
    {"VersionZero", 24, "00000000", true, kUnsupported, "version"},
    {"BatEntriesBit", 31, "41", false, kCorrupt, "checksum"},
    {"BatEntriesZero", 28, "00000000", true, kCorrupt, "BAT has 0 entries"},
    {"BlockSizeBit", 33, "21", false, kCorrupt, "checksum"},
    {"BlockSizeZero", 32, "00000000", true, kCorrupt, "block size is 0"},
    {"BlockSizeHalfASector", 32, "00000100", true, kCorrupt, "block size is 256"},
    {"BlockSizeNoPower", 32, "00180000", true, kCorrupt, "block size is 1572864"},
    {"BlockSizeFour", 32, "00400000", true, kUnsupported, "block size is 4194304"},
    {"BlockSizeTwoGib", 32, "80000000", true, kUnsupported, "block size is 2147483648"},
    {"BlockSizeAllOnes", 32, "ffffffff", true, kCorrupt, "block size is 4294967295"},
    {"Checksum", 36, "00000000", false, kCorrupt, "checksum is 0x00000000"},
    {"ParentUuid", 40, "01", false, kCorrupt, "checksum"},
    {"ParentTime", 56, "01", false, kCorrupt, "checksum"},
    {"Reserved", 60, "01", false, kCorrupt, "checksum"},
    {"ParentName", 64, "0041", false, kCorrupt, "checksum"},
    {"Locator", 576, "4d", false, kCorrupt, "checksum"},
    {"LastByte", 1023, "01", false, kCorrupt, "checksum"},
};

INSTANTIATE_TEST_SUITE_P(Table, HeaderDamage, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace lunfs::vhd
