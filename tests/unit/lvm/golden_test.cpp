#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/unit/lvm/lvm_image.h"

/// The LUNs that real lvm2 made, against what lvs(8) said about them.
namespace lunfs::lvm {
namespace {

using testing::golden;
using testing::golden_file;
using ::testing::HasSubstr;
using testing::read_vg;

/// One row of lvs --segments, in the words of the map.
struct Row {
  std::string type;
  std::string uuid;
  std::string tags;
  std::string placement;  ///< "start+count: pe-pe pe-pe"; empty if a part is not on the PV
};

using Rows = std::map<std::string, std::vector<Row>>;

std::uint64_t number(const nlohmann::json& row, const char* key) {
  return std::stoull(row.at(key).get<std::string>());
}

Rows lvs_rows(const std::string& name) {
  Rows rows;
  const auto json = nlohmann::json::parse(golden_file("lvm/" + name + ".lvs.json"));
  for (const auto& entry : json.at("report").at(0).at("seg")) {
    std::string lv = entry.at("lv_name");
    if (lv.front() == '[') lv = lv.substr(1, lv.size() - 2);
    Row row{entry.at("segtype"), entry.at("lv_uuid"), entry.at("lv_tags"), {}};
    std::string ranges = entry.at("seg_pe_ranges");
    const std::string device = "/dev/LUN:";
    for (auto place = ranges.find(device); place != std::string::npos;
         place = ranges.find(device)) {
      ranges.erase(place, device.size());
    }
    row.placement = fmt::format("{}+{}: {}", number(entry, "seg_start_pe"),
                                number(entry, "seg_size_pe"), ranges);
    rows[lv].push_back(row);
  }
  return rows;
}

std::string placement(const Segment& segment) {
  std::string text = fmt::format("{}+{}:", segment.start_le, segment.extent_count);
  const std::size_t each = segment.extent_count / segment.stripes.size();
  for (const Segment::Stripe& stripe : segment.stripes) {
    text += fmt::format(" {}-{}", stripe.first_pe, stripe.first_pe + each - 1);
  }
  return text;
}

std::string joined_sorted(std::vector<std::string> tags) {
  std::sort(tags.begin(), tags.end());
  return fmt::format("{}", fmt::join(tags, ","));
}

void expect_same_as_lvs(const std::string& name) {
  const auto vg = read_vg(golden("lvm/" + name));
  const Rows rows = lvs_rows(name);
  ASSERT_FALSE(rows.empty());
  for (const auto& [lv_name, lv_rows] : rows) {
    SCOPED_TRACE(lv_name);
    const LogicalVolume* lv = vg->find(lv_name);
    ASSERT_NE(lv, nullptr);
    ASSERT_TRUE(lv->map) << lv->unmapped_reason;
    EXPECT_EQ(lv->uuid.value().text(), lv_rows[0].uuid);
    EXPECT_EQ(joined_sorted(lv->tags), lv_rows[0].tags);
    std::vector<std::string> expected;
    for (const Row& row : lv_rows) expected.push_back(row.placement);
    std::vector<std::string> found;
    for (const Segment& segment : lv->map->segments()) found.push_back(placement(segment));
    EXPECT_EQ(found, expected);
  }
  EXPECT_EQ(vg->volumes.size(), rows.size());
}

TEST(Golden, SimpleIsWhatLvsSays) { expect_same_as_lvs("simple"); }
TEST(Golden, FragmentedIsWhatLvsSays) { expect_same_as_lvs("fragmented"); }
TEST(Golden, WrappedRingIsWhatLvsSays) { expect_same_as_lvs("wrapped"); }

TEST(Golden, NewerOfTwoAreasIsWhatLvsSays) {
  expect_same_as_lvs("twoareas");
  const auto vg = read_vg(golden("lvm/twoareas"));
  EXPECT_EQ(vg->header.seqno, 4U);
  EXPECT_THAT(vg->warnings,
              ::testing::ElementsAre(HasSubstr("the metadata areas differ: seqno 3 and 4")));
  EXPECT_THAT(vg->write_refusals, ::testing::IsEmpty());
}

TEST(Golden, SimpleHasTheFieldsOfItsText) {
  const auto vg = read_vg(golden("lvm/simple"));
  EXPECT_EQ(vg->name, "vg_simple");
  EXPECT_EQ(vg->uuid.value().text(), "WJL5QQ-nPKQ-i6sG-5FYu-B62C-L1sl-wghhhJ");
  EXPECT_EQ(vg->pv_uuid.value().text(), "EinYcp-k5W8-fBQV-FCX6-IpmU-7om5-YMJsAi");
  EXPECT_EQ(vg->header.text_offset, 5632U - 4096U);
  EXPECT_EQ(vg->header.seqno, 2U);
  EXPECT_EQ(vg->extent_bytes, 1U << 20);
  EXPECT_EQ(vg->extent_count, 63U);
  EXPECT_EQ(vg->free_extent_count, 55U);
  EXPECT_EQ(vg->pe_start_bytes, 1U << 20);
  EXPECT_THAT(vg->warnings, ::testing::IsEmpty());
  EXPECT_THAT(vg->write_refusals, ::testing::IsEmpty());
  EXPECT_EQ(vg->find("data")->map->locate(0, 8 << 20), (std::vector<Piece>{{0, 1 << 20, 8 << 20}}));
}

TEST(Golden, WrappedRingHasTheHeaderThatPvckShows) {
  const auto vg = read_vg(golden("lvm/wrapped"));
  EXPECT_EQ(vg->header, (HeaderTriple{1038848, 0x4145e8d7, 393}));
}

TEST(Golden, ReadOnlyLvIsNotWritable) {
  const auto vg = read_vg(golden("lvm/fragmented"));
  EXPECT_FALSE(vg->find("s8")->writable);
  EXPECT_TRUE(vg->find("s9")->writable);
}

TEST(Golden, EverySegmentTypeIsMappedOrRefusedByName) {
  const auto vg = read_vg(golden("lvm/types"));
  const std::map<std::string, std::string> reasons{
      {"mir", "\"mirror\""},
      {"mir_mlog", "LV mir is built on it (mirror_log)"},
      {"mir_mimage_0", "LV mir is built on it (mirrors)"},
      {"mir_mimage_1", "LV mir is built on it (mirrors)"},
      {"r1", "\"raid1\" (RAID)"},
      {"r1_rmeta_0", "LV r1 is built on it (raids)"},
      {"r1_rimage_0", "LV r1 is built on it (raids)"},
      {"r1_rmeta_1", "LV r1 is built on it (raids)"},
      {"r1_rimage_1", "LV r1 is built on it (raids)"},
      {"r0", "\"raid0\" (RAID)"},
      {"r0_rimage_0", "LV r0 is built on it (raid0_lvs)"},
      {"r0_rimage_1", "LV r0 is built on it (raid0_lvs)"},
      {"sorig", "LV snapshot0 is built on it (origin)"},
      {"snap", "LV snapshot0 is built on it (cow_store)"},
      {"snapshot0", "\"snapshot\""},
      {"tp", "\"thin-pool\""},
      {"tp_tdata", "LV tp is built on it (pool)"},
      {"tp_tmeta", "LV tp is built on it (metadata)"},
      {"thin1", "\"thin\" (a thin volume)"},
      {"cached", "\"cache\""},
      {"cached_corig", "LV cached is built on it (origin)"},
      {"cp_cpool", "\"cache-pool+METADATA_FORMAT\" (a cache)"},
      {"cp_cpool_cdata", "LV cp_cpool is built on it (data)"},
      {"cp_cpool_cmeta", "LV cp_cpool is built on it (metadata)"},
      {"wc", "\"writecache\""},
      {"wc_wcorig", "LV wc is built on it (origin)"},
      {"wfast_cvol", "CACHE_VOL"},
      {"vdo1", "\"vdo\""},
      {"vpool", "\"vdo-pool\""},
      {"vpool_vdata", "LV vpool is built on it (data)"},
      {"integ", "\"integrity\""},
      {"integ_iorig", "LV integ is built on it (origin)"},
      {"integ_imeta", "LV integ is built on it (meta_dev)"},
      {"pvmove0", "\"mirror\""},
      {"moving", "lies on LV pvmove0"},
      {"zero0", "\"zero\""},
      {"err0", "\"error\""},
      {"unk", "type \"frobnicate\" is unknown"},
  };
  for (const LogicalVolume& lv : vg->volumes) {
    SCOPED_TRACE(lv.name);
    const auto reason = reasons.find(lv.name);
    EXPECT_EQ(lv.map == nullptr, reason != reasons.end()) << lv.unmapped_reason;
    if (reason != reasons.end()) {
      EXPECT_THAT(lv.unmapped_reason, HasSubstr(reason->second));
    }
  }
  EXPECT_EQ(vg->volumes.size(), reasons.size() + 5);  // and lin, skip, ro, str2, lvol0_pmspare
}

TEST(Golden, MappedLvsAmongForeignTypesAreWhatLvsSays) {
  const auto vg = read_vg(golden("lvm/types"));
  const Rows rows = lvs_rows("types");
  std::vector<std::string> mapped;
  for (const LogicalVolume& lv : vg->volumes) {
    if (!lv.map) continue;
    mapped.push_back(lv.name);
    ASSERT_EQ(lv.map->segments().size(), 1U);
    EXPECT_EQ(placement(lv.map->segments()[0]), rows.at(lv.name).at(0).placement) << lv.name;
  }
  EXPECT_THAT(mapped, ::testing::ElementsAre("lin", "skip", "ro", "str2", "lvol0_pmspare"));
  EXPECT_FALSE(vg->find("lvol0_pmspare")->visible);
}

TEST(Golden, FreeExtentsAreWhatVgsSays) {
  for (const std::string name : {"simple", "fragmented", "wrapped", "types", "twoareas"}) {
    SCOPED_TRACE(name);
    const auto report = nlohmann::json::parse(golden_file("lvm/" + name + ".fullreport.json"));
    const std::string free = report.at("report").at(0).at("vg").at(0).at("vg_free_count");
    EXPECT_EQ(read_vg(golden("lvm/" + name))->free_extent_count, std::stoull(free));
  }
}

TEST(Golden, TextOnTheLunIsTheOneThatWasDumped) {
  // The dump parsed as a text of its own gives the same LVs as the ring does.
  const auto vg = read_vg(golden("lvm/wrapped"));
  const PvFacts facts{vg->pv_uuid.value(), 64U << 20, {}};
  const VolumeGroup dumped =
      to_volume_group(TextTree::parse(golden_file("lvm/wrapped.metadata.txt")), facts);
  ASSERT_EQ(dumped.volumes.size(), vg->volumes.size());
  EXPECT_EQ(dumped.header.seqno, vg->header.seqno);
  for (std::size_t i = 0; i < dumped.volumes.size(); ++i) {
    EXPECT_EQ(dumped.volumes[i].name, vg->volumes[i].name);
    EXPECT_EQ(dumped.volumes[i].map->locate(0, 2 << 20), vg->volumes[i].map->locate(0, 2 << 20));
  }
}

}  // namespace
}  // namespace lunfs::lvm
