#include "volume/lvm/metadata_area.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "tests/unit/lvm/lvm_image.h"
#include "volume/lvm/crc.h"

namespace lunfs::lvm {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::put_header;
using testing::Slot;

constexpr DiskArea kArea{4096, 8192};
constexpr std::uint64_t kDeviceBytes = 1ULL << 20;

Bytes header_bytes(const Slot& committed, const Slot& next = {}, const DiskArea& area = kArea) {
  Bytes image(area.offset + 512);
  put_header(image, area, committed, next);
  return {image.begin() + static_cast<std::ptrdiff_t>(area.offset), image.end()};
}

/// The good header with `value` at `offset` and the CRC made right.
template <typename T>
Bytes changed(std::uint64_t offset, T value) {
  Bytes sector = header_bytes({512, 100, 7, 0});
  store_le(ByteSpan(sector), offset, value);
  store_le(ByteSpan(sector), 0, crc(ConstByteSpan(sector).subspan(4)));
  return sector;
}

void expect_refused(const Bytes& sector, const std::string& what,
                    ErrorKind kind = ErrorKind::kCorrupt, const DiskArea& area = kArea,
                    std::uint64_t device_bytes = kDeviceBytes) {
  try {
    static_cast<void>(parse_area_header(sector, area, device_bytes));
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(what));
  }
}

TEST(MetadataArea, CommittedTextIsSlotZero) {
  const AreaHeader header = parse_area_header(header_bytes({512, 100, 7, 0}), kArea, kDeviceBytes);
  EXPECT_EQ(header.area, kArea);
  EXPECT_EQ(header.committed, (TextLocation{512, 100, 7}));
  EXPECT_FALSE(header.ignored);
  EXPECT_FALSE(header.precommitted);
  EXPECT_THAT(header.warnings, IsEmpty());
}

TEST(MetadataArea, PrecommittedTextIsNeverRead) {
  const AreaHeader header =
      parse_area_header(header_bytes({512, 100, 7, 0}, {1024, 90, 8, 0}), kArea, kDeviceBytes);
  EXPECT_EQ(header.committed, (TextLocation{512, 100, 7}));
  EXPECT_TRUE(header.precommitted);
  EXPECT_THAT(header.warnings, ElementsAre(HasSubstr("slot 1 is in use")));
}

TEST(MetadataArea, NoOffsetAndNoSizeIsNoVg) {
  const AreaHeader header = parse_area_header(header_bytes({0, 0, 0, 0}), kArea, kDeviceBytes);
  EXPECT_FALSE(header.committed);
  EXPECT_FALSE(header.ignored);
}

TEST(MetadataArea, IgnoredAreaHasNoText) {
  const AreaHeader header = parse_area_header(header_bytes({512, 100, 7, 1}), kArea, kDeviceBytes);
  EXPECT_FALSE(header.committed);
  EXPECT_TRUE(header.ignored);
}

TEST(MetadataArea, WrongCrcIsSaidSo) {
  Bytes sector = header_bytes({512, 100, 7, 0});
  sector[511] ^= std::byte{1};
  expect_refused(sector, "the header's CRC is 0x");
}

TEST(MetadataArea, WrongMagicVersionAndStartAreRefused) {
  expect_refused(changed<std::uint8_t>(4, 0), "the header's magic is \"\\x00LVM2");
  expect_refused(changed<std::uint8_t>(19, 0), "0N*\\x00\", expected");
  expect_refused(changed<std::uint32_t>(20, 0), "version is 0, expected 1");
  expect_refused(changed<std::uint32_t>(20, 2), "version is 2, expected 1");
  expect_refused(changed<std::uint64_t>(24, 4097), "starts at 4097, expected 4096");
}

TEST(MetadataArea, SizeIsCheckedAtItsLimits) {
  expect_refused(changed<std::uint64_t>(32, 1023), "size is 1023, expected at least 1024");
  expect_refused(changed<std::uint64_t>(32, kDeviceBytes - 4096 + 1), "beyond the LUN's end");
  expect_refused(changed<std::uint64_t>(32, ~0ULL), "beyond the LUN's end");
}

TEST(MetadataArea, SizeOtherThanTheLabelsIsAWarning) {
  const AreaHeader header =
      parse_area_header(changed<std::uint64_t>(32, kDeviceBytes - 4096), kArea, kDeviceBytes);
  EXPECT_EQ(header.area.size, kDeviceBytes - 4096);
  EXPECT_THAT(header.warnings, ElementsAre(HasSubstr("the label 8192")));
}

TEST(MetadataArea, TextOffsetIsCheckedAtItsLimits) {
  expect_refused(header_bytes({511, 100, 7, 0}), "text's offset is 511, expected 512 to 8191");
  expect_refused(header_bytes({8192, 100, 7, 0}), "text's offset is 8192");
  expect_refused(header_bytes({0, 100, 7, 0}), "text's offset is 0");
  expect_refused(header_bytes({~0ULL, 100, 7, 0}), "text's offset is 18446744073709551615");
  EXPECT_TRUE(parse_area_header(header_bytes({8191, 100, 7, 0}), kArea, kDeviceBytes)
                  .committed.has_value());
}

TEST(MetadataArea, TextSizeIsCheckedAtItsLimits) {
  expect_refused(header_bytes({512, 0, 7, 0}), "text's size is 0, expected 1 to 7680");
  expect_refused(header_bytes({512, 7681, 7, 0}), "text's size is 7681");
  expect_refused(header_bytes({512, ~0ULL, 7, 0}), "text's size is 18446744073709551615");
  EXPECT_TRUE(parse_area_header(header_bytes({512, 7680, 7, 0}), kArea, kDeviceBytes)
                  .committed.has_value());
}

TEST(MetadataArea, TextThatWouldTakeTooMuchMemoryIsUnsupported) {
  const DiskArea large{4096, 1ULL << 30};
  expect_refused(header_bytes({512, kMaxTextBytes + 1, 7, 0}, {}, large), "lunfs reads up to",
                 ErrorKind::kUnsupported, large, 2ULL << 30);
  EXPECT_TRUE(
      parse_area_header(header_bytes({512, kMaxTextBytes, 7, 0}, {}, large), large, 2ULL << 30)
          .committed.has_value());
}

std::vector<DiskArea> runs(std::uint64_t offset, std::uint64_t size) {
  AreaHeader header;
  header.area = kArea;
  header.committed = TextLocation{offset, size, 0};
  return text_runs(header);
}

TEST(MetadataArea, TextInOnePieceIsOneRun) {
  EXPECT_THAT(runs(1024, 300), ElementsAre(DiskArea{5120, 300}));
}

TEST(MetadataArea, TextThatEndsAtTheRingsEndDoesNotWrap) {
  EXPECT_THAT(runs(8192 - 300, 300), ElementsAre(DiskArea{4096 + 8192 - 300, 300}));
}

TEST(MetadataArea, WrappedTextGoesOnBehindTheHeader) {
  EXPECT_THAT(runs(8192 - 299, 300),
              ElementsAre(DiskArea{4096 + 8192 - 299, 299}, DiskArea{4096 + 512, 1}));
}

TEST(MetadataArea, TextLosesItsTrailingNuls) {
  const std::string_view raw("text\0\0", 6);
  const TextLocation location{512, 6, crc(as_byte_span(raw))};
  EXPECT_EQ(checked_text(as_byte_span(raw), location), "text");
}

TEST(MetadataArea, TextWithAnotherCrcIsRefused) {
  try {
    static_cast<void>(checked_text(as_byte_span("123456789"), {512, 9, 1}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(error.message(),
              "the metadata text's CRC is 0x00000001, its 9 bytes have 0x4991cf02");
  }
}

}  // namespace
}  // namespace lunfs::lvm
