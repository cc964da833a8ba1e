#include "tools/vdi_records.h"

#include <gtest/gtest.h>

namespace lunfs::tools {
namespace {

const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";

Json document() {
  return Json::parse(R"({
    "volumes": [
      {"file": "1.raw", "lv": "LV-1", "kind": "raw", "label": "web", "size_bytes": 8,
       "read_only": false, "uuid": "11111111-1111-4111-8111-111111111111",
       "allocated_bytes": 8, "lv_bytes": 16},
      {"file": "2.raw", "lv": "VHD-2", "kind": "vhd", "label": "db", "size_bytes": 32,
       "read_only": true, "read_only_reason": "a VHD",
       "uuid": "22222222-2222-4222-8222-222222222222", "allocated_bytes": 4, "lv_bytes": 6,
       "snapshot_of": "33333333-3333-4333-8333-333333333333", "parent": "VHD-3",
       "chain": ["VHD-2", "VHD-3"], "in_use": false}],
    "not_shown": [
      {"lv": "MGT", "reason": "the SR's own metadata", "faulty": false, "vhd": false},
      {"lv": "VHD-3", "reason": "base copy", "faulty": false, "vhd": true, "kind": "vhd",
       "base": true, "uuid": "33333333-3333-4333-8333-333333333333", "label": "base copy"},
      {"lv": "VHD-4", "reason": "BAT entry 7 is wrong", "faulty": true, "vhd": true,
       "kind": "vhd", "base": false, "label": "lost"},
      {"lv": "LV-5", "reason": "being changed: journal x", "faulty": false, "vhd": false,
       "kind": "raw", "base": false},
      {"lv": "thin", "reason": "thin LV", "faulty": true, "vhd": false}]})");
}

std::vector<std::string> column(const Json& records, const char* field) {
  std::vector<std::string> values;
  for (const Json& record : records) values.push_back(record[field]);
  return values;
}

TEST(VdiRecords, DisksComeWithThoseThatCannotBeShown) {
  const Json records = vdi_records(document(), false);
  EXPECT_EQ(column(records, "lv"),
            (std::vector<std::string>{"LV-1", "VHD-2", "VHD-4", "LV-5", "thin"}));
  EXPECT_EQ(column(records, "state"),
            (std::vector<std::string>{"ok", "read-only", "broken", "hidden", "broken"}));
}

TEST(VdiRecords, AllHasBasesAndTheRestToo) {
  const Json records = vdi_records(document(), true);
  EXPECT_EQ(column(records, "lv"),
            (std::vector<std::string>{"LV-1", "VHD-2", "MGT", "VHD-3", "VHD-4", "LV-5", "thin"}));
}

TEST(VdiRecords, AVhdKnowsWhereItComesFrom) {
  const Json record = vdi_records(document(), false)[1];
  EXPECT_EQ(record["uuid"], kTwo);
  EXPECT_EQ(record["size_bytes"], 32);
  EXPECT_EQ(record["used_bytes"], 4);
  EXPECT_EQ(record["lv_bytes"], 6);
  EXPECT_EQ(record["parent"], "VHD-3");
  EXPECT_EQ(record["chain"], Json::array({"VHD-2", "VHD-3"}));
  EXPECT_EQ(record["snapshot_of"], "33333333-3333-4333-8333-333333333333");
  EXPECT_EQ(record["reason"], "a VHD");
}

TEST(VdiRecords, ADiskThatIsFineHasNoReason) {
  EXPECT_FALSE(vdi_records(document(), false)[0].contains("reason"));
}

TEST(VdiRecords, ADocumentOfAnotherKindGivesNone) {
  EXPECT_TRUE(vdi_records(Json::object(), true).empty());
  EXPECT_TRUE(vdi_records({{"volumes", 7}, {"not_shown", {1, "x"}}}, true).empty());
}

TEST(VdisNamed, ADiskIsFoundByUuidLabelLvAndFile) {
  const Json records = vdi_records(document(), true);
  for (const char* name : {"22222222-2222-4222-8222-222222222222", "db", "VHD-2", "2.raw"}) {
    const Json found = vdis_named(records, name);
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(found[0]["uuid"], kTwo);
  }
  EXPECT_TRUE(vdis_named(records, "nobody").empty());
}

TEST(VdisNamed, AnUuidMayBeUpperCaseALabelMayNot) {
  Json records = Json::array({{{"uuid", "abcdef"}, {"label", "Web"}}});
  EXPECT_EQ(vdis_named(records, "ABCDEF").size(), 1U);
  EXPECT_TRUE(vdis_named(records, "WEB").empty());
}

TEST(VdisNamed, AllDisksOfALabelAreFound) {
  const Json records = Json::array({{{"label", "web"}}, {{"label", "web"}}});
  EXPECT_EQ(vdis_named(records, "web").size(), 2U);
}

}  // namespace
}  // namespace lunfs::tools
