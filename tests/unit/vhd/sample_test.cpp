#include <gtest/gtest.h>

#include "tests/support/unpack.h"
#include "tests/unit/vhd/vhd_bytes.h"
#include "volume/vhd/bat.h"
#include "volume/vhd/batmap.h"
#include "volume/vhd/checksum.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/footer.h"
#include "volume/vhd/sector_runs.h"

/// Three LVs written by the hypervisor's own vhd-util, and what is known to be in them.
namespace lunfs::vhd {
namespace {

using testing::Bytes;

constexpr const char* kParentLv = "VHD-11111111-aaaa-4aaa-8aaa-111111111111";
constexpr const char* kRawLv = "LV-44444444-dddd-4ddd-8ddd-444444444444";
constexpr std::uint64_t kMetadataEnd = 4328960;

struct Sample {
  Bytes lv;
  FooterChoice choice;
  DynamicHeader header;
  Layout layout;

  explicit Sample(const std::string& name)
      : lv(lunfs::testing::unpack(LUNFS_TEST_DATA "/xenserver/" + name + ".img.xz")),
        choice(choose_footer(at(0, 512), at(lv.size() - 512, 512)).value()),
        header(parse_dynamic_header(at(choice.footer.header_offset, kDynamicHeaderBytes))),
        layout(make_layout(choice.footer, header, lv.size(), kMetadataEnd, choice.at_end)) {}

  [[nodiscard]] ConstByteSpan at(std::uint64_t offset, std::uint64_t length) const {
    return ConstByteSpan(lv).subspan(offset, length);
  }
  [[nodiscard]] Bat bat() const {
    return {layout, 0, at(layout.bat_offset, 4 * layout.block_count)};
  }
  [[nodiscard]] std::string locator(std::size_t index) const {
    const ParentLocator& locator = header.locators[index];
    return locator_text(locator.platform, at(locator.offset, locator.length));
  }
};

TEST(SampleParent, FooterIsTheOneDescribed) {
  const Sample sample("vhd-sample-parent");
  const Footer& footer = sample.choice.footer;
  EXPECT_TRUE(sample.choice.at_end);
  EXPECT_FALSE(sample.choice.copies_differ);
  EXPECT_EQ(footer.type, DiskType::kDynamic);
  EXPECT_EQ(footer.size_bytes, 1ULL << 30U);
  EXPECT_TRUE(footer.hidden);
  EXPECT_TRUE(footer.by_tap());
  EXPECT_EQ(footer.creator_version, 0x00010003U);
  EXPECT_EQ(footer.uuid.text(), "39219189-eb85-47b1-a128-100b1959e28e");
}

TEST(SampleParent, ChecksumsAreTheKnownOnes) {
  const Sample sample("vhd-sample-parent");
  EXPECT_EQ(checksum_of(sample.at(0, 512), 64), 0xFFFFF1C9U);
  EXPECT_EQ(checksum_of(sample.at(512, 1024), 36), 0xFFFFF467U);
}

TEST(SampleParent, LayoutIsPreallocatedForTwoTib) {
  const Sample sample("vhd-sample-parent");
  EXPECT_EQ(sample.header.bat_offset, 1536U);
  EXPECT_EQ(sample.header.bat_entries, 1048576U);
  EXPECT_EQ(sample.layout.block_count, 512U);
  EXPECT_TRUE(sample.header.parent_uuid.is_nil());
  EXPECT_EQ(sample.header.parent_name, "");
}

TEST(SampleParent, BlocksLieOutOfOrder) {
  const Sample sample("vhd-sample-parent");
  const Bat bat = sample.bat();
  EXPECT_EQ(bat.sectors()[0], 8455U);
  EXPECT_EQ(bat.sectors()[1], 16663U);
  EXPECT_EQ(bat.sectors()[2], 12559U);
  for (std::uint64_t block = 3; block < 512; ++block) EXPECT_FALSE(bat.locate(block).allocated);
  std::vector<std::uint32_t> allocated(bat.sectors().begin(), bat.sectors().begin() + 3);
  EXPECT_NO_THROW(check_overlaps(sample.layout, allocated));
}

TEST(SampleParent, BitmapsTellWhichSectorsAreThere) {
  const Sample sample("vhd-sample-parent");
  const Bat bat = sample.bat();
  const auto runs = [&](std::uint64_t block) {
    return sector_runs(sample.at(bat.locate(block).bitmap_offset, 512), 0, 2U << 20U);
  };
  EXPECT_EQ(runs(0), (std::vector<SectorRun>{
                         {0, 2560, false}, {2560, 1536, true}, {4096, (2U << 20U) - 4096, false}}));
  EXPECT_EQ(runs(1), (std::vector<SectorRun>{{0, 2U << 20U, true}}));
  EXPECT_EQ(runs(2), (std::vector<SectorRun>{{0, 512, true}, {512, (2U << 20U) - 512, false}}));
}

TEST(SampleParent, DataAreWhereTheTableSays) {
  const Sample sample("vhd-sample-parent");
  const Bat bat = sample.bat();
  EXPECT_EQ(as_text(sample.at(bat.locate(0).data_offset + 5 * 512, 1536)), std::string(1536, 'X'));
  EXPECT_EQ(as_text(sample.at(bat.locate(1).data_offset, 2U << 20U)), std::string(2U << 20U, 'F'));
  EXPECT_EQ(as_text(sample.at(bat.locate(2).data_offset, 512)), std::string(512, 'Y'));
}

TEST(SampleParent, BatmapHasTheFullBlock) {
  const Sample sample("vhd-sample-parent");
  const std::uint64_t place = batmap_header_offset(sample.choice.footer, sample.header).value();
  EXPECT_EQ(place, 4195840U);
  const BatmapHeader header = parse_batmap_header(sample.at(place, 512)).value();
  EXPECT_EQ(header.offset, 4196352U);
  EXPECT_EQ(header.length_bytes, 131072U);
  EXPECT_EQ(header.checksum, 0xFFFFFFBFU);
  EXPECT_FALSE(header.encrypted);
  const ConstByteSpan map = sample.at(header.offset, batmap_checked_bytes(1ULL << 30U));
  EXPECT_TRUE(batmap_is_good(header, map));
  EXPECT_FALSE(test_bit(map, 0));
  EXPECT_TRUE(test_bit(map, 1));
  EXPECT_FALSE(test_bit(map, 2));
}

TEST(SampleChild, ChecksumsAreTheKnownOnes) {
  const Sample sample("vhd-sample-child");
  EXPECT_EQ(checksum_of(sample.at(0, 512), 64), 0xFFFFF254U);
  EXPECT_EQ(checksum_of(sample.at(512, 1024), 36), 0xFFFFCA82U);
}

TEST(SampleChild, NamesItsParentInFourPlaces) {
  const Sample sample("vhd-sample-child");
  EXPECT_EQ(sample.choice.footer.type, DiskType::kDifferencing);
  EXPECT_EQ(sample.header.parent_uuid.text(), "39219189-eb85-47b1-a128-100b1959e28e");
  EXPECT_EQ(lv_name_of_parent(sample.header.parent_name), kParentLv);
  EXPECT_EQ(sample.header.locators[0].platform, kPlatformMacX);
  EXPECT_EQ(sample.header.locators[0].length, 110U);
  EXPECT_EQ(sample.header.locators[0].offset, 4327424U);
  EXPECT_EQ(sample.header.locators[1].platform, kPlatformW2ku);
  EXPECT_EQ(sample.header.locators[2].platform, kPlatformW2ru);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(lv_name_of_parent(sample.locator(i)), kParentLv) << i;
  }
  EXPECT_TRUE(sample.locator(0).starts_with("./VG_XenStorage--7f3c2a10--"));
  EXPECT_TRUE(sample.locator(1).starts_with(".\\VG_XenStorage--7f3c2a10--"));
  for (std::size_t i = 3; i < 8; ++i) EXPECT_EQ(sample.header.locators[i].platform, 0U);
}

TEST(SampleChild, HoldsOneSector) {
  const Sample sample("vhd-sample-child");
  const Bat::Place place = sample.bat().locate(0);
  EXPECT_EQ(place.bitmap_offset, kMetadataEnd);
  EXPECT_EQ(
      sector_runs(sample.at(place.bitmap_offset, 512), 5 * 512, 3 * 512),
      (std::vector<SectorRun>{{5 * 512, 512, false}, {6 * 512, 512, true}, {7 * 512, 512, false}}));
  EXPECT_EQ(as_text(sample.at(place.data_offset + 6 * 512, 512)), std::string(512, 'C'));
}

TEST(SampleRawChild, HasARawParentAndNoBlock) {
  const Sample sample("vhd-sample-rawchild");
  EXPECT_EQ(sample.choice.footer.type, DiskType::kDifferencing);
  EXPECT_TRUE(sample.header.parent_uuid.is_nil());
  EXPECT_EQ(lv_name_of_parent(sample.header.parent_name), kRawLv);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(lv_name_of_parent(sample.locator(i)), kRawLv);
  EXPECT_EQ(sample.header.locators[0].length, 109U);
  const Bat bat = sample.bat();
  for (const std::uint32_t sector : bat.sectors()) EXPECT_EQ(sector, kNotAllocated);
}

}  // namespace
}  // namespace lunfs::vhd
