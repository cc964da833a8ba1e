#include "iscsi/scsi_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Bytes = std::vector<std::byte>;

Bytes text_bytes(std::string_view text) {
  const ConstByteSpan span = as_byte_span(text);
  return {span.begin(), span.end()};
}

void append(Bytes& bytes, std::initializer_list<int> values) {
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
}

TEST(Inquiry, NamesAreTrimmedAndPrintable) {
  Bytes bytes(36);
  const Bytes names = text_bytes("IET     VIRTUAL\x01-DISK   ");
  std::copy(names.begin(), names.end(), bytes.begin() + 8);
  const InquiryData data = parse_inquiry(bytes);
  EXPECT_EQ(data.vendor, "IET");
  EXPECT_EQ(data.product, "VIRTUAL-DISK");
}

TEST(Inquiry, QualifierAndTypeShareAByte) {
  const InquiryData none = parse_inquiry(Bytes(1, std::byte{0x7f}));
  EXPECT_EQ(none.qualifier, 3);
  EXPECT_EQ(none.device_type, 0x1f);
  EXPECT_EQ(device_type_name(0x0c), "storage array controller");
  EXPECT_THROW(parse_inquiry({}), Error);
}

TEST(Vpd, OtherPageThanAskedForIsCorrupt) {
  Bytes bytes;
  append(bytes, {0, 0x80, 0, 2, 'a', 'b'});
  EXPECT_EQ(as_text(parse_vpd(bytes, 0x80)), "ab");
  EXPECT_THROW(parse_vpd(bytes, 0x83), Error);
}

TEST(Vpd, LengthBeyondTheBytesIsCutToThem) {
  Bytes bytes;
  append(bytes, {0, 0x80, 0xff, 0xff, 'a', 'b'});
  EXPECT_EQ(as_text(parse_vpd(bytes, 0x80)), "ab");
  EXPECT_THROW(parse_vpd(Bytes(3), 0), Error);
}

TEST(Designator, NaaBeatsTheOthers) {
  Bytes bytes;
  append(bytes, {2, 0x01, 0, 3, 'T', '1', '0'});           // T10 vendor id, ASCII
  append(bytes, {1, 0x03, 0, 4, 0x60, 0x01, 0x40, 0x5a});  // NAA, binary
  append(bytes, {1, 0x02, 0, 2, 0x11, 0x22});              // EUI-64
  append(bytes, {0x51, 0x94, 0, 4, 0, 0, 0, 1});           // relative port, of the port
  EXPECT_EQ(parse_designator(bytes), "6001405a");
}

TEST(Designator, OfThePortIsNotTheLuns) {
  Bytes bytes;
  append(bytes, {1, 0x13, 0, 2, 0x60, 0x01});
  EXPECT_EQ(parse_designator(bytes), "");
}

TEST(Designator, CutOffListEndsQuietly) {
  Bytes bytes;
  append(bytes, {2, 0x01, 0, 3, 'T', '1', '0', 1, 0x03, 0, 200, 0x60});
  EXPECT_EQ(parse_designator(bytes), "T10");
  EXPECT_EQ(parse_designator(Bytes(3)), "");
}

TEST(BlockLimits, EveryFieldIsAtItsPlace) {
  Bytes page(60);
  store_be<std::uint8_t>(page, 1, 7);
  store_be<std::uint32_t>(page, 4, 0x01020304);
  store_be<std::uint32_t>(page, 16, 0x11121314);
  store_be<std::uint32_t>(page, 20, 0x21222324);
  store_be<std::uint64_t>(page, 32, 0x3132333435363738);
  const BlockLimits limits = parse_block_limits(page);
  EXPECT_EQ(limits.max_compare_and_write, 7);
  EXPECT_EQ(limits.max_transfer, 0x01020304U);
  EXPECT_EQ(limits.max_unmap_blocks, 0x11121314U);
  EXPECT_EQ(limits.max_unmap_runs, 0x21222324U);
  EXPECT_EQ(limits.max_write_same, 0x3132333435363738U);
}

TEST(BlockLimits, ShortPageOfAnOldTargetHasNoLimits) {
  Bytes page(12);
  store_be<std::uint32_t>(page, 4, 9);
  EXPECT_EQ(parse_block_limits(page).max_transfer, 9U);
  EXPECT_EQ(parse_block_limits(page).max_write_same, 0U);
  EXPECT_EQ(parse_block_limits({}).max_transfer, 0U);
}

TEST(Provisioning, BitsAreToldApart) {
  Bytes page(4);
  page[1] = std::byte{0x80};
  EXPECT_TRUE(parse_provisioning(page).unmap);
  EXPECT_FALSE(parse_provisioning(page).write_same_unmap);
  page[1] = std::byte{0x40};
  EXPECT_FALSE(parse_provisioning(page).unmap);
  EXPECT_TRUE(parse_provisioning(page).write_same_unmap);
}

Bytes capacity_bytes(std::uint64_t last, std::uint32_t block) {
  Bytes bytes(32);
  store_be(bytes, 0, last);
  store_be(bytes, 8, block);
  return bytes;
}

TEST(Capacity, EveryFieldIsAtItsPlace) {
  Bytes bytes = capacity_bytes(99, 512);
  bytes[12] = std::byte{0x01};
  bytes[13] = std::byte{0x03};
  bytes[14] = std::byte{0xc0};
  const Capacity capacity = parse_capacity(bytes);
  EXPECT_EQ(capacity.blocks, 100U);
  EXPECT_EQ(capacity.block_size, 512U);
  EXPECT_EQ(capacity.physical_block_size, 4096U);
  EXPECT_TRUE(capacity.protection);
  EXPECT_TRUE(capacity.thin);
  EXPECT_TRUE(capacity.unmapped_reads_zero);
}

TEST(Capacity, ThatDoesNotFitIsCorrupt) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_capacity(capacity_bytes(kMax / 512 - 1, 512)).blocks, kMax / 512);
  EXPECT_THROW(parse_capacity(capacity_bytes(kMax / 512, 512)), Error);
  EXPECT_THROW(parse_capacity(capacity_bytes(kMax, 512)), Error);
  EXPECT_THROW(parse_capacity(capacity_bytes(1, 0)), Error);
  EXPECT_THROW(parse_capacity(Bytes(11)), Error);
}

TEST(CacheMode, HeaderAndPageAreRead) {
  Bytes bytes(24);
  bytes[2] = std::byte{0x90};
  bytes[4] = std::byte{0x08};
  bytes[6] = std::byte{0x04};
  const CacheMode mode = parse_cache_mode(bytes);
  EXPECT_TRUE(mode.write_protected);
  EXPECT_TRUE(mode.fua);
  EXPECT_EQ(mode.write_cache, true);
  bytes[6] = std::byte{0};
  EXPECT_EQ(parse_cache_mode(bytes).write_cache, false);
}

TEST(CacheMode, PageStandsBehindBlockDescriptors) {
  Bytes bytes(32);
  bytes[3] = std::byte{8};
  bytes[12] = std::byte{0x88};  // PS bit set
  bytes[14] = std::byte{0x04};
  EXPECT_EQ(parse_cache_mode(bytes).write_cache, true);
}

TEST(CacheMode, MissingPageIsUnknown) {
  EXPECT_EQ(parse_cache_mode(Bytes(4)).write_cache, std::nullopt);
  Bytes other(24);
  other[4] = std::byte{0x0a};
  EXPECT_EQ(parse_cache_mode(other).write_cache, std::nullopt);
  Bytes far(24);
  far[3] = std::byte{0xff};
  EXPECT_EQ(parse_cache_mode(far).write_cache, std::nullopt);
}

TEST(ReportLuns, FlatNumbersOnly) {
  Bytes bytes(8 + 5 * 8);
  store_be<std::uint32_t>(bytes, 0, 40);
  store_be<std::uint16_t>(bytes, 8, 0x0000);
  store_be<std::uint16_t>(bytes, 16, 0x00ff);
  store_be<std::uint16_t>(bytes, 24, 0x4100);
  store_be<std::uint16_t>(bytes, 32, 0xc101);  // well known
  store_be<std::uint16_t>(bytes, 40, 0x0101);  // behind another bus
  EXPECT_THAT(parse_luns(bytes), ElementsAre(0, 255, 256));
}

TEST(ReportLuns, LengthIsHeldToTheBytes) {
  Bytes bytes(8 + 12);
  store_be<std::uint32_t>(bytes, 0, 0xffffffff);
  EXPECT_THAT(parse_luns(bytes), ElementsAre(0));
  EXPECT_THROW(parse_luns(Bytes(7)), Error);
}

Bytes lba_status(std::initializer_list<std::array<std::uint64_t, 3>> runs) {
  Bytes bytes(8 + runs.size() * 16);
  std::size_t at = 8;
  for (const auto& run : runs) {
    store_be(bytes, at, run[0]);
    store_be(bytes, at + 8, static_cast<std::uint32_t>(run[1]));
    store_be(bytes, at + 12, static_cast<std::uint8_t>(run[2]));
    at += 16;
  }
  return bytes;
}

TEST(LbaStatus, RunsFollowOneAnother) {
  const auto states = parse_lba_status(lba_status({{90, 20, 1}, {110, 5, 0}, {115, 1, 2}}), 100);
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].blocks, 10U);
  EXPECT_TRUE(states[0].deallocated);
  EXPECT_EQ(states[1].blocks, 5U);
  EXPECT_FALSE(states[1].deallocated);
  EXPECT_FALSE(states[2].deallocated);  // anchored
}

TEST(LbaStatus, NonsenseEndsTheAnswer) {
  EXPECT_THAT(parse_lba_status(lba_status({{101, 20, 1}}), 100), IsEmpty());
  EXPECT_THAT(parse_lba_status(lba_status({{90, 10, 1}}), 100), IsEmpty());
  EXPECT_THAT(parse_lba_status(lba_status({{100, 0, 1}}), 100), IsEmpty());
  EXPECT_EQ(parse_lba_status(lba_status({{100, 5, 1}, {106, 5, 1}}), 100).size(), 1U);
  EXPECT_EQ(parse_lba_status(lba_status({{100, 5, 1}, {104, 5, 1}}), 100).size(), 1U);
  EXPECT_THAT(parse_lba_status(Bytes(20), 0), IsEmpty());
}

}  // namespace
}  // namespace lunfs::iscsi
