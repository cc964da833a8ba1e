#include "volume/sr/journal.h"

#include <gtest/gtest.h>

namespace lunfs::sr {
namespace {

const std::string kOriginal = "e1eda9da-3332-4aff-97f6-c34a1a78c214";
const std::string kBase = "7d1a9627-15db-461e-ab25-21e9db90e2b4";
const std::string kClone = "0670026d-cb1f-442d-913e-6de54ac5ab72";

std::string payload(std::string text) {
  text.resize(kJournalPayloadBytes, ' ');
  return text;
}

std::string_view value_of(const std::string& sector) {
  return parse_journal_payload(as_byte_span(sector));
}

TEST(JournalPayload, IsLengthSpaceValue) {
  EXPECT_EQ(value_of(payload("36 " + kBase)), kBase);
  EXPECT_EQ(value_of(payload("73 " + kBase + "_" + kClone)), kBase + "_" + kClone);
  EXPECT_EQ(value_of(payload("37 " + kBase + "_")), kBase + "_");
}

TEST(JournalPayload, OfAnotherFormIsEmpty) {
  EXPECT_EQ(value_of(payload("")), "");
  EXPECT_EQ(value_of(payload("x " + kBase)), "");
  EXPECT_EQ(value_of(payload("36" + kBase)), "");
  EXPECT_EQ(value_of(payload("-1 x")), "");
  EXPECT_EQ(value_of(payload("99999999999999999999999 x")), "");
  EXPECT_EQ(value_of(payload("512 x")), "");
  EXPECT_EQ(value_of("36"), "");
  EXPECT_EQ(value_of(""), "");
  EXPECT_EQ(value_of(std::string(kJournalPayloadBytes, '\0')), "");
}

TEST(JournalValue, ListsItsUuids) {
  const Uuid base = *Uuid::parse(kBase);
  const Uuid clone = *Uuid::parse(kClone);
  EXPECT_EQ(uuids_of_journal_value(kBase + "_" + kClone), (std::vector{base, clone}));
  EXPECT_EQ(uuids_of_journal_value(kBase + "_"), std::vector{base});
  EXPECT_EQ(uuids_of_journal_value(kBase), std::vector{base});
  EXPECT_TRUE(uuids_of_journal_value("8388608").empty());
  EXPECT_TRUE(uuids_of_journal_value("").empty());
  EXPECT_TRUE(uuids_of_journal_value("___").empty());
}

lvm::LogicalVolume lv(std::string name, std::vector<std::string> tags) {
  lvm::LogicalVolume result;
  result.name = std::move(name);
  result.tags = std::move(tags);
  return result;
}

TEST(Journal, PutsItsVdiAndThoseOfItsPayloadInTransition) {
  const std::string name = "clone_" + kOriginal + "_1";
  lvm::VolumeGroup vg;
  vg.volumes = {lv("LV-" + kBase, {}), lv(name, {"journaler"})};
  const VdisInTransition found = vdis_in_transition(vg, {{name, kBase + "_" + kClone}});
  const std::vector<JournalMention> mentions = {{name, "clone"}};
  EXPECT_EQ(found, (VdisInTransition{{*Uuid::parse(kOriginal), mentions},
                                     {*Uuid::parse(kBase), mentions},
                                     {*Uuid::parse(kClone), mentions}}));
}

TEST(Journal, EveryOneThatNamesAVdiIsKept) {
  lvm::VolumeGroup vg;
  vg.volumes = {lv("relink_" + kBase + "_1", {"journaler"}), lv("jvhd_" + kBase, {"jvhd"}),
                lv("later_" + kBase + "_x", {"journaler"})};
  EXPECT_EQ(vdis_in_transition(vg, {}).at(*Uuid::parse(kBase)),
            (std::vector<JournalMention>{{"relink_" + kBase + "_1", "relink"},
                                         {"jvhd_" + kBase, "jvhd"},
                                         {"later_" + kBase + "_x", "later"}}));
}

TEST(Journal, WithItsValueInTheNameNeedsNoPayload) {
  const std::string name = "leaf_" + kOriginal + "_" + kBase;
  lvm::VolumeGroup vg;
  vg.volumes = {lv(name, {"journaler"})};
  EXPECT_EQ(vdis_in_transition(vg, {}).count(*Uuid::parse(kBase)), 1U);
}

TEST(Journal, OnlyCloneAndLeafHaveAPayload) {
  EXPECT_TRUE(has_payload(lv("clone_" + kOriginal + "_1", {"journaler"})));
  EXPECT_TRUE(has_payload(lv("leaf_" + kOriginal + "_1", {"journaler"})));
  EXPECT_FALSE(has_payload(lv("relink_" + kOriginal + "_1", {"journaler"})));
  EXPECT_FALSE(has_payload(lv("leaf_" + kOriginal + "_" + kBase, {"journaler"})));
  EXPECT_FALSE(has_payload(lv("LV-" + kOriginal, {})));
}

}  // namespace
}  // namespace lunfs::sr
