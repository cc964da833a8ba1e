#include "volume/sr/sorting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sr/vg_values.h"

namespace lunfs::sr {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lv;
using ::testing::SizeIs;
using testing::unmapped;
using testing::vg_of;

const std::string kSr = "c2a7af9e-ab79-4005-add1-77d2c700d84c";
const std::string kSrVg = "VG_XenStorage-" + kSr;
const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";

std::vector<std::string> files(const Catalog& catalog) {
  std::vector<std::string> result;
  for (const Volume& volume : catalog.volumes) result.push_back(volume.file_name);
  return result;
}

NotShown not_shown(const Catalog& catalog, const std::string& lv_name) {
  const auto found = std::find_if(catalog.not_shown.begin(), catalog.not_shown.end(),
                                  [&](const NotShown& one) { return one.lv_name == lv_name; });
  if (found != catalog.not_shown.end()) return *found;
  ADD_FAILURE() << lv_name << " is not among those not shown";
  return {};
}

Catalog sort_one(lvm::LogicalVolume one, SrContents contents = {}) {
  return sort_sr(vg_of(kSrVg, {std::move(one)}), std::move(contents), true);
}

SrContents with_record(VdiRecord record) {
  SrContents contents;
  contents.mgt.emplace();
  contents.mgt->vdis.push_back(std::move(record));
  return contents;
}

VdiRecord record(const std::string& uuid) {
  VdiRecord result;
  result.uuid = *Uuid::parse(uuid);
  result.label = "a label";
  result.description = "a description";
  result.type = "user";
  return result;
}

// --- a VG that is not XenServer's ---

TEST(PlainLayout, ShowsEachVisibleLvUnderItsOwnName) {
  lvm::LogicalVolume inner = lv("root_tmeta");
  inner.visible = false;
  const Catalog catalog = sort_plain(vg_of("vg0", {lv("root"), inner, lv("swap")}), false);
  EXPECT_EQ(catalog.layout, Layout::kPlain);
  EXPECT_THAT(files(catalog), ElementsAre("root", "swap"));
  EXPECT_EQ(catalog.volumes[0].lv_name, "root");
  EXPECT_EQ(catalog.volumes[0].kind, "lv");
  EXPECT_EQ(catalog.volumes[0].size_bytes, testing::kLvBytes);
  EXPECT_FALSE(catalog.volumes[0].read_only);
  EXPECT_FALSE(not_shown(catalog, "root_tmeta").faulty);
  EXPECT_THAT(catalog.lv_names, ElementsAre("root", "root_tmeta", "swap"));
  EXPECT_EQ(catalog.read_only_reason, "");
  EXPECT_THAT(catalog.links, IsEmpty());
}

TEST(PlainLayout, AnUnmappedLvIsFaultyWithItsReason) {
  const Catalog catalog = sort_plain(vg_of("vg0", {unmapped("thin", "thin LV"), lv("a")}), false);
  EXPECT_THAT(files(catalog), ElementsAre("a"));
  EXPECT_TRUE(not_shown(catalog, "thin").faulty);
  EXPECT_EQ(not_shown(catalog, "thin").reason, "thin LV");
  EXPECT_THAT(catalog.lv_names, ElementsAre("a"));
}

TEST(PlainLayout, TheNameOfTheControlDirectoryIsNotTaken) {
  const Catalog catalog = sort_plain(vg_of("vg0", {lv(".lunfs")}), false);
  EXPECT_THAT(files(catalog), IsEmpty());
  EXPECT_THAT(not_shown(catalog, ".lunfs").reason, HasSubstr("control directory"));
}

TEST(PlainLayout, NamesThatNoDirectoryCanHoldAreFaulty) {
  const Catalog catalog =
      sort_plain(vg_of("vg0", {lv("a/b"), lv(""), lv(".."), lv(std::string(256, 'x'))}), false);
  EXPECT_THAT(files(catalog), IsEmpty());
  EXPECT_THAT(catalog.lv_names, IsEmpty());
  EXPECT_THAT(catalog.not_shown, SizeIs(4));
  EXPECT_TRUE(not_shown(catalog, "a/b").faulty);
}

TEST(PlainLayout, OfTwoLvsWithOneNameTheFirstIsShown) {
  const Catalog catalog = sort_plain(vg_of("vg0", {lv("a"), lv("a")}), false);
  EXPECT_THAT(files(catalog), ElementsAre("a"));
  EXPECT_THAT(catalog.lv_names, ElementsAre("a"));
  EXPECT_THAT(not_shown(catalog, "a").reason, HasSubstr("same name"));
}

TEST(PlainLayout, AnLvWithoutWritePermissionIsReadOnlyAlone) {
  lvm::LogicalVolume guarded = lv("a");
  guarded.writable = false;
  const Catalog catalog = sort_plain(vg_of("vg0", {guarded, lv("b")}), false);
  EXPECT_TRUE(catalog.volumes[0].read_only);
  EXPECT_THAT(catalog.volumes[0].read_only_reason, HasSubstr("read-only"));
  EXPECT_FALSE(catalog.volumes[1].read_only);
  EXPECT_EQ(catalog.read_only_reason, "");
}

TEST(PlainLayout, WriteRefusalsAreJoined) {
  auto vg = std::make_shared<lvm::VolumeGroup>(*vg_of("vg0", {lv("a")}));
  vg->write_refusals = {"exported", "locked by sanlock"};
  EXPECT_EQ(sort_plain(vg, true).read_only_reason, "exported; locked by sanlock");
}

TEST(PlainLayout, AVgNamedAlmostLikeAnSrsIsReadOnlyUnlessDetached) {
  const auto vg = vg_of("VG_XenStorage-clone", {lv("LV-" + kOne)});
  EXPECT_THAT(sort_plain(vg, false).read_only_reason, HasSubstr("-o detached"));
  EXPECT_EQ(sort_plain(vg, true).read_only_reason, "");
}

// --- an SR ---

TEST(SrLayout, ShowsARawVdiByItsUuid) {
  const Catalog catalog = sort_one(lv("LV-" + kOne), with_record(record(kOne)));
  EXPECT_EQ(catalog.layout, Layout::kXenServer);
  EXPECT_EQ(catalog.sr_uuid, Uuid::parse(kSr));
  ASSERT_THAT(files(catalog), ElementsAre(kOne + ".raw"));
  const Volume& volume = catalog.volumes.front();
  EXPECT_EQ(volume.lv_name, "LV-" + kOne);
  EXPECT_EQ(volume.kind, "raw");
  EXPECT_EQ(volume.uuid, Uuid::parse(kOne));
  EXPECT_EQ(volume.label, "a label");
  EXPECT_EQ(volume.description, "a description");
  EXPECT_EQ(volume.size_bytes, testing::kLvBytes);
  EXPECT_FALSE(volume.read_only);
  ASSERT_THAT(catalog.links, SizeIs(1));
  EXPECT_EQ(catalog.links.front().name, "a label.raw");
  EXPECT_EQ(catalog.links.front().file_name, kOne + ".raw");
  EXPECT_THAT(catalog.warnings, IsEmpty());
}

TEST(SrLayout, IsReadOnlyUnlessDetached) {
  const auto vg = vg_of(kSrVg, {lv("LV-" + kOne)});
  EXPECT_THAT(sort_sr(vg, {}, false).read_only_reason, HasSubstr("-o detached"));
  EXPECT_EQ(sort_sr(vg, {}, true).read_only_reason, "");
}

TEST(SrLayout, WriteRefusalsHoldWithDetachedToo) {
  auto vg = std::make_shared<lvm::VolumeGroup>(*vg_of(kSrVg, {}));
  vg->write_refusals = {"exported"};
  EXPECT_EQ(sort_sr(vg, {}, true).read_only_reason, "exported");
  EXPECT_THAT(sort_sr(vg, {}, false).read_only_reason,
              AllOf(HasSubstr("-o detached"), HasSubstr("; exported")));
}

TEST(SrLayout, KeepsEverythingButVdisOutOfTheRoot) {
  const std::vector<std::pair<lvm::LogicalVolume, std::string>> cases = {
      {lv("QCOW2-" + kOne), "QCOW2: not readable by this version"},
      {lv("VHD-OLD_" + kOne), "coalesce"},
      {lv("MGT"), "metadata"},
      {lv("relink_" + kOne + "_1", {"journaler"}), "journal"},
      {lv("jvhd_" + kOne, {"jvhd"}), "journal"},
      {lv(kOne + ".cbtlog", {"cbtlog"}), "changed-block log"},
      {lv("hb-" + kOne), "not a VDI"},
      {lv("LV-1234"), "not a VDI"},
      {lv("LV-" + kOne, {"hidden"}), "hidden"},
  };
  for (const auto& [one, reason] : cases) {
    const Catalog catalog = sort_one(one);
    EXPECT_THAT(files(catalog), IsEmpty()) << one.name;
    EXPECT_THAT(not_shown(catalog, one.name).reason, HasSubstr(reason)) << one.name;
    EXPECT_FALSE(not_shown(catalog, one.name).faulty) << one.name;
    EXPECT_FALSE(not_shown(catalog, one.name).vhd) << one.name;
    EXPECT_THAT(catalog.lv_names, ElementsAre(one.name));
  }
}

TEST(SrLayout, AnUnmanagedVdiIsNotShown) {
  VdiRecord base = record(kOne);
  base.managed = false;
  const Catalog catalog = sort_one(lv("LV-" + kOne), with_record(base));
  EXPECT_THAT(files(catalog), IsEmpty());
  EXPECT_THAT(not_shown(catalog, "LV-" + kOne).reason, HasSubstr("not managed"));
}

TEST(SrLayout, AVdiUnderAnyJournalIsNotShown) {
  for (const std::string& journal :
       {"clone_" + kOne + "_1", "leaf_" + kOne + "_1", "inflate_" + kOne + "_8388608",
        "relink_" + kOne + "_1", "coalesce_" + kOne + "_1", "zero_" + kOne + "_0",
        "jvhd_" + kOne}) {
    const Catalog catalog = sort_sr(vg_of(kSrVg, {lv("LV-" + kOne), lv(journal)}), {}, true);
    EXPECT_THAT(files(catalog), IsEmpty()) << journal;
    EXPECT_THAT(not_shown(catalog, "LV-" + kOne).reason, HasSubstr(journal));
    EXPECT_THAT(catalog.warnings, Contains(HasSubstr(journal)));
  }
}

TEST(SrLayout, AJournalHidesTheVdisOfItsPayload) {
  const std::string journal = "clone_" + kOne + "_1";
  SrContents contents;
  contents.journal_values[journal] = kTwo + "_";
  const Catalog catalog =
      sort_sr(vg_of(kSrVg, {lv("LV-" + kTwo), lv(journal)}), std::move(contents), true);
  EXPECT_THAT(files(catalog), IsEmpty());
  EXPECT_THAT(not_shown(catalog, "LV-" + kTwo).reason, HasSubstr(journal));
}

TEST(SrLayout, AJournalOfAnotherVdiHidesNothing) {
  const Catalog catalog =
      sort_sr(vg_of(kSrVg, {lv("LV-" + kOne), lv("relink_" + kTwo + "_1")}), {}, true);
  EXPECT_THAT(files(catalog), ElementsAre(kOne + ".raw"));
}

TEST(SrLayout, AnUnmappedVdiIsFaultyWithItsReason) {
  const Catalog catalog = sort_one(unmapped("VHD-" + kOne, "segment 2 is beyond the PV"));
  EXPECT_TRUE(not_shown(catalog, "VHD-" + kOne).faulty);
  EXPECT_TRUE(not_shown(catalog, "VHD-" + kOne).vhd);
  EXPECT_EQ(not_shown(catalog, "VHD-" + kOne).reason, "segment 2 is beyond the PV");
}

TEST(SrLayout, AVdiThatMgtMarksReadOnlyIsReadOnly) {
  VdiRecord guarded = record(kOne);
  guarded.read_only = true;
  const Catalog catalog = sort_one(lv("LV-" + kOne), with_record(guarded));
  EXPECT_TRUE(catalog.volumes.at(0).read_only);
  EXPECT_THAT(catalog.volumes.at(0).read_only_reason, HasSubstr("MGT"));
}

TEST(SrLayout, AnLvWithoutWritePermissionIsReadOnly) {
  lvm::LogicalVolume guarded = lv("LV-" + kOne);
  guarded.writable = false;
  const Catalog catalog = sort_one(guarded);
  EXPECT_TRUE(catalog.volumes.at(0).read_only);
  EXPECT_THAT(catalog.volumes.at(0).read_only_reason, HasSubstr("the LV is marked read-only"));
}

TEST(SrLayout, WhatThePoolKeepsForItselfIsReadOnly) {
  for (const std::string type : {"ha_statefile", "redo_log", "metadata", "rrd", "cbt_metadata"}) {
    VdiRecord own = record(kOne);
    own.type = type;
    const Catalog catalog = sort_one(lv("LV-" + kOne), with_record(own));
    EXPECT_TRUE(catalog.volumes.at(0).read_only) << type;
    EXPECT_THAT(catalog.volumes.at(0).read_only_reason, HasSubstr(type));
  }
  for (const std::string type : {"user", "system", "suspend", "crashdump", "ephemeral", ""}) {
    VdiRecord other = record(kOne);
    other.type = type;
    EXPECT_FALSE(sort_one(lv("LV-" + kOne), with_record(other)).volumes.at(0).read_only) << type;
  }
}

TEST(SrLayout, AVdiWithAChangedBlockLogIsReadOnly) {
  const Catalog catalog =
      sort_sr(vg_of(kSrVg, {lv("LV-" + kOne), lv(kOne + ".cbtlog", {"cbtlog"})}), {}, true);
  EXPECT_THAT(catalog.volumes.at(0).read_only_reason, HasSubstr("changed-block log"));
}

TEST(SrLayout, OfTwoLvsWithOneFileNameTheFirstIsShownReadOnly) {
  const std::string upper = "LV-AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA";
  const std::string lower = "LV-aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
  const Catalog catalog = sort_sr(vg_of(kSrVg, {lv(lower), lv(upper)}), {}, true);
  EXPECT_THAT(files(catalog), ElementsAre("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.raw"));
  EXPECT_TRUE(catalog.volumes.at(0).read_only);
  EXPECT_TRUE(not_shown(catalog, upper).faulty);
}

TEST(SrLayout, RecordsWithoutAnLvAreOneWarning) {
  SrContents contents = with_record(record(kOne));
  contents.mgt->vdis.push_back(record(kTwo));
  const Catalog catalog = sort_sr(vg_of(kSrVg, {}), std::move(contents), true);
  EXPECT_THAT(catalog.warnings,
              ElementsAre("MGT lists 2 VDIs that have no LV, " + kOne + " the first"));
}

TEST(SrLayout, AnMgtOfAnotherSrIsAWarning) {
  SrContents contents;
  contents.mgt.emplace();
  contents.mgt->sr_uuid = Uuid::parse(kTwo);
  contents.mgt->label = "the pool's";
  const Catalog catalog = sort_sr(vg_of(kSrVg, {}), std::move(contents), true);
  EXPECT_EQ(catalog.sr_uuid, Uuid::parse(kSr));
  EXPECT_EQ(catalog.sr_label, "the pool's");
  EXPECT_THAT(catalog.warnings, ElementsAre(HasSubstr("MGT belongs to SR " + kTwo)));
}

TEST(SrLayout, WithoutMgtDisksAreShownWithoutNames) {
  SrContents contents;
  contents.warnings = {"MGT: cannot be read"};
  const Catalog catalog = sort_one(lv("LV-" + kOne), std::move(contents));
  EXPECT_THAT(files(catalog), ElementsAre(kOne + ".raw"));
  EXPECT_EQ(catalog.volumes.at(0).label, "");
  EXPECT_THAT(catalog.links, IsEmpty());
  EXPECT_THAT(catalog.warnings, ElementsAre("MGT: cannot be read"));
}

}  // namespace
}  // namespace lunfs::sr
