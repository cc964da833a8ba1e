#include "volume/sr/lv_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace lunfs::sr {
namespace {

const std::string kUuid = "e1eda9da-3332-4aff-97f6-c34a1a78c214";
const std::string kOther = "7d1a9627-15db-461e-ab25-21e9db90e2b4";

struct Case {
  std::string name;
  std::vector<std::string> tags;
  LvKind kind;
  std::string vdi;  // empty: none
  std::string type;
  std::string value;
};

class LvNames : public ::testing::TestWithParam<Case> {};

TEST_P(LvNames, AreSortedByNameAndTags) {
  const Case& expected = GetParam();
  const LvName found = classify_lv(expected.name, expected.tags);
  EXPECT_EQ(found.kind, expected.kind);
  EXPECT_EQ(found.vdi ? found.vdi->text() : "", expected.vdi);
  EXPECT_EQ(found.journal_type, expected.type);
  EXPECT_EQ(found.journal_value, expected.value);
}

const Case kCases[] = {
    {"LV-" + kUuid, {}, LvKind::kRawVdi, kUuid, "", ""},
    {"LV-" + kUuid, {"hidden"}, LvKind::kRawVdi, kUuid, "", ""},
    {"VHD-" + kUuid, {}, LvKind::kVhdVdi, kUuid, "", ""},
    {"QCOW2-" + kUuid, {}, LvKind::kQcow2Vdi, kUuid, "", ""},
    {"MGT", {}, LvKind::kMetadata, "", "", ""},
    {"VHD-OLD_" + kUuid, {}, LvKind::kTemporary, kUuid, "", ""},
    {"QCOW2-OLD_" + kUuid, {}, LvKind::kTemporary, kUuid, "", ""},
    {"LV-OLD_" + kUuid, {}, LvKind::kTemporary, kUuid, "", ""},
    {"VHD-OLD_x", {}, LvKind::kTemporary, "", "", ""},
    {"clone_" + kUuid + "_1", {"journaler"}, LvKind::kJournal, kUuid, "clone", "1"},
    {"leaf_" + kUuid + "_1", {"journaler"}, LvKind::kJournal, kUuid, "leaf", "1"},
    {"inflate_" + kUuid + "_8388608", {"journaler"}, LvKind::kJournal, kUuid, "inflate", "8388608"},
    {"relink_" + kUuid + "_1", {"journaler"}, LvKind::kJournal, kUuid, "relink", "1"},
    {"coalesce_" + kUuid + "_1", {"journaler"}, LvKind::kJournal, kUuid, "coalesce", "1"},
    {"zero_" + kUuid + "_4194304", {"journaler"}, LvKind::kJournal, kUuid, "zero", "4194304"},
    {"clone_" + kUuid + "_" + kOther + "_" + kUuid,
     {"journaler"},
     LvKind::kJournal,
     kUuid,
     "clone",
     kOther + "_" + kUuid},
    {"jvhd_" + kUuid, {"jvhd"}, LvKind::kJournal, kUuid, "jvhd", ""},
    // the form alone is enough, and so is the tag alone
    {"inflate_" + kUuid + "_1", {}, LvKind::kJournal, kUuid, "inflate", "1"},
    {"jvhd_" + kUuid, {}, LvKind::kJournal, kUuid, "jvhd", ""},
    {"split_" + kUuid + "_1", {"journaler"}, LvKind::kJournal, kUuid, "split", "1"},
    {"oddity", {"journaler"}, LvKind::kJournal, "", "oddity", ""},
    {"split_" + kUuid + "_1", {}, LvKind::kForeign, "", "", ""},
    {"clone_x_1", {}, LvKind::kForeign, "", "", ""},
    {kUuid + ".cbtlog", {"cbtlog"}, LvKind::kChangedBlockLog, kUuid, "", ""},
    {kUuid + ".cbtlog", {}, LvKind::kChangedBlockLog, kUuid, "", ""},
    {"odd.cbtlog", {"cbtlog"}, LvKind::kChangedBlockLog, "", "", ""},
    {"odd.cbtlog", {}, LvKind::kForeign, "", "", ""},
    {".cbtlog", {}, LvKind::kForeign, "", "", ""},
    {"LV-", {}, LvKind::kForeign, "", "", ""},
    {"LV-" + kUuid + "x", {}, LvKind::kForeign, "", "", ""},
    {"LV-" + kUuid.substr(1), {}, LvKind::kForeign, "", "", ""},
    {"VHD_" + kUuid, {}, LvKind::kForeign, "", "", ""},
    {"lv-" + kUuid, {}, LvKind::kForeign, "", "", ""},
    {"hb-" + kUuid, {}, LvKind::kForeign, "", "", ""},
    {"mgt", {}, LvKind::kForeign, "", "", ""},
    {"", {}, LvKind::kForeign, "", "", ""},
    {"_", {}, LvKind::kForeign, "", "", ""},
};

INSTANTIATE_TEST_SUITE_P(All, LvNames, ::testing::ValuesIn(kCases));

TEST(VgName, IsAnSrsOnlyWithAValidUuid) {
  EXPECT_EQ(sr_uuid_of_vg("VG_XenStorage-" + kUuid), Uuid::parse(kUuid));
  EXPECT_EQ(sr_uuid_of_vg("VG_XenStorage-" + kUuid + "-old"), std::nullopt);
  EXPECT_EQ(sr_uuid_of_vg("VG_XenStorage-"), std::nullopt);
  EXPECT_EQ(sr_uuid_of_vg("XSLocalEXT-" + kUuid), std::nullopt);
  EXPECT_EQ(sr_uuid_of_vg(kUuid), std::nullopt);
}

TEST(VgName, MayBeXenServersWithoutAValidUuid) {
  EXPECT_TRUE(is_xenserver_vg("VG_XenStorage-clone"));
  EXPECT_FALSE(is_xenserver_vg("XSLocalEXT-" + kUuid));
}

TEST(HiddenTag, IsFoundAmongOthers) {
  EXPECT_TRUE(has_hidden_tag(std::vector<std::string>{"a", "hidden"}));
  EXPECT_FALSE(has_hidden_tag(std::vector<std::string>{"hidden2"}));
}

}  // namespace
}  // namespace lunfs::sr
