#include "volume/lvm/lv_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/lvm/lvm_image.h"
#include "volume/lvm/vg_text.h"

namespace lunfs::lvm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::linear;
using testing::lv;
using testing::parsed;
using testing::replaced;
using testing::segment;
using testing::usual_text;
using testing::vg_text;

/// `b` is the second LV of usual_text(), which no defect of `a` may cost its map.
void expect_only_a_unmapped(const std::string& text, const std::string& reason) {
  const VolumeGroup vg = parsed(text);
  ASSERT_EQ(vg.volumes.size(), 2U);
  EXPECT_FALSE(vg.volumes[0].map);
  EXPECT_THAT(vg.volumes[0].unmapped_reason, HasSubstr(reason));
  EXPECT_TRUE(vg.volumes[1].map) << vg.volumes[1].unmapped_reason;
}

struct Change {
  std::string from;
  std::string to;
  std::string reason;
};

TEST(LvText, EveryFieldOfAnLvIsChecked) {
  const std::string lv_status = "\"READ\", \"WRITE\", \"VISIBLE\"";
  const std::string lv_flags = lv_status + "]\nflags = []";
  const std::vector<Change> rows{
      {"\na {", "\n\"a b\" {", "its name breaks the rules"},
      {"\na {", "\n-a {", "its name breaks the rules"},
      {"id = \"a00", "# \"a00", "id is missing"},
      {"id = \"a00", "id = \"a0", "is not an LVM uuid"},
      {"id = \"a00", "id = 5 x = \"a0", "id is 5, expected a string"},
      {"status = [" + lv_status + "]", "", "status is missing"},
      {lv_status, lv_status + ", \"LOCKED\"", "status LOCKED"},
      {lv_status, lv_status + ", \"PVMOVE\"", "status PVMOVE"},
      {lv_status, lv_status + ", \"SHINY\"", "status \"SHINY\" is unknown"},
      {lv_flags, lv_status + "]\nflags = [\"CACHE_VOL\"]", "flag CACHE_VOL"},
      {lv_flags, lv_status + "]\nflags = [5]", "flags is 5, expected a list of strings"},
      {"segment_count = 2", "", "segment_count is missing"},
      {"segment_count = 2", "segment_count = 1", "segment_count is 1, but there are 2 segments"},
      {"segment_count = 2", "segment_count = 3", "segment_count is 3, but there are 2 segments"},
      {"segment_count = 2", "segment_count = 2 segment_count = 2", "segment_count stands there"},
      {"segment2 {", "segment1 {", "segment1 stands there twice"},
      {"segment2 {", "extra { } segment2 {", "extra: type is missing"},
  };
  // the PV's section has fields of the same names, so only what is behind it is changed
  const std::size_t lvs = usual_text().find("logical_volumes");
  for (const Change& row : rows) {
    SCOPED_TRACE(row.to);
    expect_only_a_unmapped(
        usual_text().substr(0, lvs) + replaced(usual_text().substr(lvs), row.from, row.to),
        row.reason);
  }
}

TEST(LvText, EveryFieldOfASegmentIsChecked) {
  const std::vector<Change> rows{
      {"start_extent = 4", "", "segment2: start_extent is missing"},
      {"start_extent = 4", "start_extent = -4", "segment2: start_extent is -4"},
      {"start_extent = 4", "start_extent = 5", "expected to start at 4"},
      {"start_extent = 4", "start_extent = 3", "expected to start at 4"},
      {"start_extent = 4", "start_extent = 4294967296", "segment2: start_extent is 4294967296"},
      {"start_extent = 0", "start_extent = 1", "expected to start at 0"},
      {"extent_count = 2", "", "segment2: extent_count is missing"},
      {"extent_count = 2", "extent_count = 0", "segment2: extent_count is 0"},
      {"extent_count = 2", "extent_count = 2 extent_count = 3", "segment2: extent_count stands"},
      {"\"pv0\", 10", "\"pv0\", 111",
       "segment2: reaches beyond the PV: physical extents 111 to 112 of 112"},
      {"\"pv0\", 10", "\"pv0\", 4294967295", "segment2: reaches beyond the PV"},
      {"\"pv0\", 10", "\"pv0\", 4294967296", "segment2: physical extent: 4294967296 does not fit"},
      {"\"pv0\", 10", "\"pv0\", -1", "segment2: physical extent: -1 does not fit"},
      {"\"pv0\", 10", "\"pv1\", 10", "segment2: names an unknown PV pv1"},
      {"\"pv0\", 10", "10, \"pv0\"", "segment2: stripes is not a list of pairs"},
      {"\"pv0\", 10", "\"pv0\"", "stripe_count is 1, but stripes has 1 values"},
      {"\"pv0\", 10", "\"pv0\", 10, \"pv0\", 20", "stripe_count is 1, but stripes has 4 values"},
      {"\"pv0\", 10", "", "stripe_count is 1, but stripes has 0 values"},
  };
  for (const Change& row : rows) {
    SCOPED_TRACE(row.to);
    expect_only_a_unmapped(replaced(usual_text(), row.from, row.to), row.reason);
  }
}

std::string striped(std::uint64_t extents, std::string_view rest) {
  return vg_text(lv("a", 1, segment(1, 0, extents, rest)) + lv("b", 1, linear(1, 0, 4, 4)));
}

TEST(LvText, EveryFieldOfAStripedSegmentIsChecked) {
  const std::string type = "type = \"striped\"\n";
  const std::string areas = "stripes = [ \"pv0\", 10, \"pv0\", 20 ]";
  struct Row {
    std::uint64_t extents;
    std::string rest;
    std::string reason;
  };
  std::string many = "\"pv0\", 20";
  for (int i = 1; i < 129; ++i) many += ", \"pv0\", 20";
  const std::vector<Row> rows{
      {4, type + "stripe_count = 2\n" + areas, "segment1: stripe_size is missing"},
      {4, type + "stripe_count = 2\nstripe_size = 0\n" + areas, "stripe size is 0"},
      {4, type + "stripe_count = 2\nstripe_size = 7\n" + areas, "not whole pieces of 3584"},
      {3, type + "stripe_count = 2\nstripe_size = 8\n" + areas, "3 extents cannot be divided"},
      {4, type + "stripe_count = 0\nstripes = []", "stripe_count is 0"},
      {4, type + areas, "segment1: stripe_count is missing"},
      {4, type + "stripe_count = 2\nstripe_size = 8\n", "segment1: stripes is missing"},
      {129, type + "stripe_count = 129\nstripe_size = 8\nstripes = [" + many + "]",
       "stripe_count is 129, expected a number from 0 to 128"},
      {4, type + "stripe_count = 2\nstripe_size = 8\nstripes = [ \"pv0\", 10, \"pv0\", 111 ]",
       "physical extents 111 to 112 of 112"},
      {4, type + "stripe_count = 2\nstripe_size = 8\nstripes = [ \"pv0\", 10, \"pv0\", 11 ]",
       "segment1 (physical extents 11 to 12) overlaps segment1 (physical extents 10 to 11) of LV "
       "a"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.rest);
    expect_only_a_unmapped(striped(row.extents, row.rest), row.reason);
  }
}

TEST(LvText, StripedSegmentIsMappedOverItsStripes) {
  const VolumeGroup vg = parsed(
      striped(4,
              "type = \"striped\"\nstripe_count = 2\nstripe_size = 128\nstripes = [ \"pv0\", 10, "
              "\"pv0\", 20 ]"));
  ASSERT_TRUE(vg.find("a")->map) << vg.find("a")->unmapped_reason;
  EXPECT_EQ(vg.find("a")->map->locate(0, 2 * testing::kExtentBytes),
            (std::vector<Piece>{{0, testing::kPeStart + 10 * testing::kExtentBytes, 65536},
                                {65536, testing::kPeStart + 20 * testing::kExtentBytes, 65536}}));
  EXPECT_EQ(vg.free_extent_count, testing::kPeCount - 8);
}

TEST(LvText, SegmentsMayStandInAnyOrder) {
  const VolumeGroup vg = parsed(vg_text(lv("a", 2, linear(2, 4, 2, 10) + linear(1, 0, 4, 0))));
  ASSERT_TRUE(vg.find("a")->map) << vg.find("a")->unmapped_reason;
  EXPECT_EQ(vg.find("a")->map->segments()[0].start_le, 0U);
}

TEST(LvText, SegmentsNameIsFree) {
  const VolumeGroup vg = parsed(replaced(usual_text(), "segment2 {", "foo {"));
  EXPECT_TRUE(vg.find("a")->map);
}

TEST(LvText, EveryForeignTypeIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"mirror", "(a mirror, or extents that pvmove moves)"},
      {"snapshot", "(a copy-on-write snapshot)"},
      {"thin-pool", "(a pool of thin volumes)"},
      {"thin", "(a thin volume)"},
      {"cache-pool", "(a cache)"},
      {"cache", "(a cached volume)"},
      {"cache+CACHE_USES_CACHEVOL", "(a cached volume)"},
      {"writecache", "(a volume with a write cache)"},
      {"integrity", "(a volume with integrity data)"},
      {"vdo-pool", "(a pool of deduplicated volumes)"},
      {"vdo", "(a deduplicated volume)"},
      {"zero", "(reads as zeros)"},
      {"error", "(every access fails)"},
      {"raid0", "(RAID)"},
      {"raid0_meta", "(RAID)"},
      {"raid1", "(RAID)"},
      {"raid5_ls", "(RAID)"},
      {"raid6_nr", "(RAID)"},
      {"raid10_near", "(RAID)"},
      {"raid1+RESHAPE", "(RAID)"},
      {"striped+NEW", "type \"striped+NEW\" has a flag that lunfs does not know"},
      {"linear", "type \"linear\" is unknown"},
      {"Striped", "type \"Striped\" is unknown"},
      {"frobnicate", "type \"frobnicate\" is unknown"},
      {"", "type \"\" is unknown"},
  };
  for (const auto& [type, reason] : rows) {
    SCOPED_TRACE(type);
    expect_only_a_unmapped(
        replaced(usual_text(), "type = \"striped\"", fmt::format("type = \"{}\"", type)),
        "segment1: ");
    expect_only_a_unmapped(
        replaced(usual_text(), "type = \"striped\"", fmt::format("type = \"{}\"", type)), reason);
  }
}

/// An LV of `type` beside a plain one called "used" that `keys` may name.
VolumeGroup with_user(std::string_view type, std::string_view keys) {
  return parsed(
      vg_text(lv("user", 1, segment(1, 0, 1, fmt::format("type = \"{}\"\n{}", type, keys))) +
              lv("used", 1, linear(1, 0, 1, 0)) + lv("other", 1, linear(1, 0, 1, 1))));
}

TEST(LvText, LvThatAnotherOneIsBuiltOnIsRefused) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"mirror", "mirrors = [ \"used\", 0 ]"},
      {"mirror", "mirror_log = \"used\""},
      {"raid1", "raids = [ \"used\" ]"},
      {"raid0", "raid0_lvs = [ \"x\", \"used\" ]"},
      {"snapshot", "origin = \"used\""},
      {"snapshot", "cow_store = \"used\""},
      {"snapshot", "merging_store = \"used\""},
      {"thin-pool", "pool = \"used\""},
      {"thin-pool", "metadata = \"used\""},
      {"thin", "thin_pool = \"used\""},
      {"thin", "external_origin = \"used\""},
      {"cache-pool", "data = \"used\""},
      {"cache", "cache_pool = \"used\""},
      {"writecache", "writecache = \"used\""},
      {"integrity", "meta_dev = \"used\""},
      {"vdo", "vdo_pool = \"used\""},
      {"striped", "stripe_count = 1\nstripes = [ \"used\", 0 ]"},
      {"frobnicate", "any_key = [ 1, \"used\" ]"},
      {"cache+NEWFLAG", "origin = \"used\""},
  };
  for (const auto& [type, keys] : rows) {
    SCOPED_TRACE(keys);
    const VolumeGroup vg = with_user(type, keys);
    EXPECT_FALSE(vg.find("user")->map);
    EXPECT_FALSE(vg.find("used")->map);
    EXPECT_THAT(vg.find("used")->unmapped_reason, HasSubstr("LV user is built on it"));
    EXPECT_TRUE(vg.find("other")->map) << vg.find("other")->unmapped_reason;
  }
}

TEST(LvText, WordsOfKnownTypesThatNameNoLvHurtNobody) {
  const VolumeGroup vg = with_user("cache-pool", "policy = \"used\"\ncache_mode = \"other\"");
  EXPECT_TRUE(vg.find("used")->map);
  EXPECT_TRUE(vg.find("other")->map);
}

TEST(LvText, LvCalledLikeThePvIsNotTakenForIt) {
  const VolumeGroup vg =
      parsed(vg_text(lv("pv0", 1, linear(1, 0, 1, 0)) + lv("b", 1, linear(1, 0, 1, 1))));
  EXPECT_TRUE(vg.find("pv0")->map) << vg.find("pv0")->unmapped_reason;
  EXPECT_TRUE(vg.find("b")->map);
}

TEST(LvText, OverlappingLvsAreRefusedAndNameEachOther) {
  const VolumeGroup vg =
      parsed(vg_text(lv("a", 1, linear(1, 0, 4, 0)) + lv("b", 1, linear(1, 0, 4, 3)) +
                     lv("c", 1, linear(1, 0, 1, 7))));
  EXPECT_EQ(vg.find("a")->unmapped_reason,
            "segment1 (physical extents 0 to 3) overlaps segment1 (physical extents 3 to 6) of LV "
            "b");
  EXPECT_EQ(vg.find("b")->unmapped_reason,
            "segment1 (physical extents 3 to 6) overlaps segment1 (physical extents 0 to 3) of LV "
            "a");
  EXPECT_TRUE(vg.find("c")->map);
  EXPECT_EQ(vg.free_extent_count, testing::kPeCount - 8);
}

TEST(LvText, EveryLvUnderALongOneIsFound) {
  const VolumeGroup vg =
      parsed(vg_text(lv("long", 1, linear(1, 0, 20, 0)) + lv("x", 1, linear(1, 0, 2, 3)) +
                     lv("y", 1, linear(1, 0, 2, 10)) + lv("next", 1, linear(1, 0, 2, 20))));
  for (const char* const name : {"long", "x", "y"}) EXPECT_FALSE(vg.find(name)->map) << name;
  EXPECT_TRUE(vg.find("next")->map);
}

TEST(LvText, ForeignTypesExtentsCountAsUsedAndOverlap) {
  const VolumeGroup vg = parsed(vg_text(
      lv("mir", 1, segment(1, 0, 4, "type = \"mirror\"\nmirrors = [ \"pv0\", 10, \"pv0\", 20 ]")) +
      lv("a", 1, linear(1, 0, 1, 13)) + lv("b", 1, linear(1, 0, 1, 14))));
  EXPECT_THAT(vg.find("a")->unmapped_reason, HasSubstr("of LV mir"));
  EXPECT_TRUE(vg.find("b")->map);
  EXPECT_EQ(vg.free_extent_count, testing::kPeCount - 9);
}

TEST(LvText, LvsWithOneNameAreBothRefused) {
  const VolumeGroup vg =
      parsed(vg_text(lv("a", 1, linear(1, 0, 1, 0)) + lv("a", 1, linear(1, 0, 1, 1)) +
                     lv("b", 1, linear(1, 0, 1, 2))));
  EXPECT_EQ(vg.volumes[0].unmapped_reason, "another LV has the same name");
  EXPECT_EQ(vg.volumes[1].unmapped_reason, "another LV has the same name");
  EXPECT_TRUE(vg.volumes[2].map);
}

TEST(LvText, LvsWithOneUuidAreBothRefused) {
  const VolumeGroup vg =
      parsed(vg_text(lv("a", 1, linear(1, 0, 1, 0)) + lv("a+", 1, linear(1, 0, 1, 1)) +
                     lv("b", 1, linear(1, 0, 1, 2))));
  EXPECT_THAT(vg.volumes[0].unmapped_reason, HasSubstr("LV a+ has the same uuid"));
  EXPECT_THAT(vg.volumes[1].unmapped_reason, HasSubstr("LV a has the same uuid"));
  EXPECT_TRUE(vg.volumes[2].map);
}

TEST(LvText, LvOverTheMetadataAreaIsRefused) {
  // pe_start at 64 KiB: extent 0 lies on the area that ends at 4096 + 65536, extent 1 behind it
  const std::string text =
      replaced(vg_text(lv("a", 1, linear(1, 0, 1, 0)) + lv("b", 1, linear(1, 0, 1, 1))),
               "pe_start = 2048", "pe_start = 128");
  expect_only_a_unmapped(text, "lie on the PV's label or metadata area at 4096");
}

TEST(LvText, LvOverTheLabelIsRefused) {
  const std::string text = replaced(usual_text(), "pe_start = 2048", "pe_start = 0");
  const VolumeGroup vg = parsed(text);
  EXPECT_THAT(vg.find("a")->unmapped_reason, HasSubstr("label or metadata area at 0"));
  EXPECT_TRUE(vg.find("b")->map);
}

TEST(LvText, LvBeyondTheLunIsRefusedAndTheOthersWork) {
  std::string text = vg_text(lv("a", 1, linear(1, 0, 1, 112)) + lv("b", 1, linear(1, 0, 1, 111)));
  text = replaced(text, "pe_count = 112", "pe_count = 113");
  expect_only_a_unmapped(
      text, "segment1: reaches beyond the LUN: bytes 8388608 to 8454144, the LUN has 8388608");
}

TEST(LvText, FlagsOfTheLvAreRead) {
  std::string text = replaced(usual_text(), "\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []",
                              "\"READ\"]\nflags = []\ntags = [\"x\", \"bad tag\", \"y=1\"]");
  const VolumeGroup vg = parsed(text);
  EXPECT_FALSE(vg.find("a")->writable);
  EXPECT_FALSE(vg.find("a")->visible);
  EXPECT_TRUE(vg.find("a")->map);
  EXPECT_THAT(vg.find("a")->tags, ElementsAre("x", "y=1"));
  EXPECT_TRUE(vg.find("b")->writable);
  EXPECT_TRUE(vg.find("b")->visible);
  EXPECT_THAT(vg.find("b")->tags, IsEmpty());
}

TEST(LvText, WriteLockedCountsAsWritable) {
  const VolumeGroup vg =
      parsed(replaced(usual_text(), "\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []",
                      "\"READ\", \"VISIBLE\"]\nflags = [\"WRITE_LOCKED\"]"));
  EXPECT_TRUE(vg.find("a")->writable);
}

TEST(LvText, NameOf127CharactersIsKept) {
  const std::string name(127, 'n');
  const VolumeGroup vg = parsed(vg_text(lv(name, 1, linear(1, 0, 1, 0))));
  ASSERT_NE(vg.find(name), nullptr);
  EXPECT_TRUE(vg.find(name)->map);
}

TEST(LvText, SizeOfAnUnmappedLvIsStillTold) {
  const VolumeGroup vg = parsed(replaced(usual_text(), "\"striped\"", "\"thin\""));
  EXPECT_EQ(vg.find("a")->size_bytes, 6 * testing::kExtentBytes);
}

}  // namespace
}  // namespace lunfs::lvm
