// The VHDs of an SR: which become disks, and what is said of the others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sr/head_values.h"
#include "tests/unit/sr/vg_values.h"
#include "volume/sr/sorting.h"

namespace lunfs::sr {
namespace {

using testing::child_head;
using testing::dynamic_head;
using ::testing::ElementsAre;
using testing::faulty_head;
using ::testing::HasSubstr;
using testing::hidden;
using ::testing::IsEmpty;
using testing::lv;
using ::testing::UnorderedElementsAre;

const std::string kSrVg = "VG_XenStorage-c2a7af9e-ab79-4005-add1-77d2c700d84c";
const std::string kLeaf = "11111111-1111-4111-8111-111111111111";
const std::string kBase = "22222222-2222-4222-8222-222222222222";
const std::string kRoot = "33333333-3333-4333-8333-333333333333";

std::string vhd_of(const std::string& uuid) { return "VHD-" + uuid; }

class VhdSorting : public ::testing::Test {
 protected:
  void add(const std::string& uuid, VhdHead head) {
    volumes_.push_back(lv(vhd_of(uuid)));
    contents_.heads.emplace(vhd_of(uuid), std::move(head));
  }

  /// A leaf on a base copy on another.
  void add_chain() {
    add(kLeaf, child_head(1, 2, vhd_of(kBase)));
    add(kBase, hidden(child_head(2, 3, vhd_of(kRoot))));
    add(kRoot, hidden(dynamic_head(3)));
  }

  void sort() { catalog_ = sort_sr(testing::vg_of(kSrVg, volumes_), contents_, true); }

  std::vector<std::string> files() const {
    std::vector<std::string> result;
    for (const Volume& volume : catalog_.volumes) result.push_back(volume.file_name);
    return result;
  }
  NotShown not_shown(const std::string& lv_name) const {
    for (const NotShown& one : catalog_.not_shown) {
      if (one.lv_name == lv_name) return one;
    }
    ADD_FAILURE() << lv_name << " is not among those not shown";
    return {};
  }

  std::vector<lvm::LogicalVolume> volumes_;
  SrContents contents_;
  Catalog catalog_;
};

TEST_F(VhdSorting, ALeafIsADiskOfItsFootersSize) {
  add_chain();
  contents_.heads.at(vhd_of(kLeaf)).image->footer.size_bytes = 96U << 20U;
  contents_.heads.at(vhd_of(kLeaf)).allocated_bytes = 12345;
  sort();
  ASSERT_THAT(files(), ElementsAre(kLeaf + ".raw"));
  const Volume& volume = catalog_.volumes.front();
  EXPECT_EQ(volume.kind, "vhd");
  EXPECT_TRUE(volume.is_vhd());
  EXPECT_EQ(volume.lv_name, vhd_of(kLeaf));
  EXPECT_EQ(volume.size_bytes, 96U << 20U);
  EXPECT_EQ(volume.allocated_bytes, 12345U);
  EXPECT_THAT(volume.disk->plan.images, ElementsAre(vhd_of(kLeaf), vhd_of(kBase), vhd_of(kRoot)));
  EXPECT_TRUE(volume.disk->heads->contains(vhd_of(kRoot)));
}

TEST_F(VhdSorting, ADiskIsReadOnlyBecauseItIsAVhd) {
  add(kLeaf, dynamic_head(1));
  sort();
  EXPECT_TRUE(catalog_.volumes.at(0).read_only);
  EXPECT_THAT(catalog_.volumes.at(0).read_only_reason, HasSubstr("a VHD"));
  EXPECT_EQ(catalog_.read_only_reason, "");
}

TEST_F(VhdSorting, OtherReasonsForReadOnlyStandBehind) {
  add(kLeaf, dynamic_head(1));
  volumes_.push_back(lv(kLeaf + ".cbtlog", {"cbtlog"}));
  sort();
  EXPECT_THAT(catalog_.volumes.at(0).read_only_reason,
              ::testing::AllOf(HasSubstr("a VHD"), HasSubstr("; it has a changed-block log")));
}

TEST_F(VhdSorting, NamesAndOriginComeFromMgt) {
  add(kLeaf, dynamic_head(1));
  VdiRecord record;
  record.uuid = *Uuid::parse(kLeaf);
  record.label = "a snapshot";
  record.description = "of something";
  record.snapshot_of = Uuid::parse(kRoot);
  contents_.mgt.emplace().vdis = {record};
  sort();
  const Volume& volume = catalog_.volumes.at(0);
  EXPECT_EQ(volume.label, "a snapshot");
  EXPECT_EQ(volume.description, "of something");
  EXPECT_EQ(volume.snapshot_of, Uuid::parse(kRoot));
  EXPECT_EQ(catalog_.links.at(0).name, "a snapshot.raw");
}

TEST_F(VhdSorting, DisksOfACatalogShareTheirHeads) {
  add_chain();
  add("44444444-4444-4444-8444-444444444444", child_head(4, 2, vhd_of(kBase)));
  sort();
  ASSERT_EQ(catalog_.volumes.size(), 2U);
  EXPECT_EQ(catalog_.volumes[0].disk->heads, catalog_.volumes[1].disk->heads);
}

TEST_F(VhdSorting, HiddenWithChildrenIsABaseCopy) {
  add_chain();
  sort();
  for (const std::string& uuid : {kBase, kRoot}) {
    EXPECT_THAT(not_shown(vhd_of(uuid)).reason, HasSubstr("base copy"));
    EXPECT_FALSE(not_shown(vhd_of(uuid)).faulty);
    EXPECT_TRUE(not_shown(vhd_of(uuid)).vhd);
  }
}

TEST_F(VhdSorting, HiddenWithoutChildrenIsWaste) {
  add(kBase, hidden(dynamic_head(2)));
  sort();
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(not_shown(vhd_of(kBase)).reason, HasSubstr("nobody's parent: waste"));
  EXPECT_FALSE(not_shown(vhd_of(kBase)).faulty);
}

TEST_F(VhdSorting, NothingIsCalledWasteWhileSomeHeadIsUnknown) {
  add(kBase, hidden(dynamic_head(2)));
  add(kLeaf, faulty_head("the checksum is wrong"));
  sort();
  EXPECT_THAT(not_shown(vhd_of(kBase)).reason,
              ::testing::AllOf(HasSubstr("as far as"), ::testing::Not(HasSubstr("waste"))));
}

TEST_F(VhdSorting, AFaultyVhdIsFaultyWithItsReason) {
  add(kLeaf, faulty_head("the checksum is wrong"));
  sort();
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(not_shown(vhd_of(kLeaf)).reason, "the checksum is wrong");
  EXPECT_TRUE(not_shown(vhd_of(kLeaf)).faulty);
}

TEST_F(VhdSorting, AFaultBelowCostsTheDisksThatStandOnItAndNoOthers) {
  add_chain();
  add("44444444-4444-4444-8444-444444444444", dynamic_head(4));
  contents_.heads.at(vhd_of(kRoot)).fault = "block 3 is damaged";
  sort();
  EXPECT_THAT(files(), ElementsAre("44444444-4444-4444-8444-444444444444.raw"));
  EXPECT_EQ(not_shown(vhd_of(kLeaf)).reason, vhd_of(kRoot) + " below it: block 3 is damaged");
  EXPECT_TRUE(not_shown(vhd_of(kLeaf)).faulty);
  EXPECT_FALSE(not_shown(vhd_of(kRoot)).faulty);
}

TEST_F(VhdSorting, AVhdThatWasNotLookedIntoIsFaulty) {
  volumes_ = {lv(vhd_of(kLeaf))};
  sort();
  EXPECT_TRUE(not_shown(vhd_of(kLeaf)).faulty);
  EXPECT_THAT(not_shown(vhd_of(kLeaf)).reason, HasSubstr("was not read"));
}

TEST_F(VhdSorting, AVdiUnderAJournalIsNotShownAndNotFaulty) {
  add_chain();
  volumes_.push_back(lv("inflate_" + kLeaf + "_8388608", {"journaler"}));
  sort();
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(not_shown(vhd_of(kLeaf)).reason, HasSubstr("journal inflate_"));
  EXPECT_FALSE(not_shown(vhd_of(kLeaf)).faulty);
}

TEST_F(VhdSorting, ACoalesceBelowALeafLeavesItShown) {
  add_chain();
  volumes_.push_back(lv("coalesce_" + kBase + "_1", {"journaler"}));
  sort();
  EXPECT_THAT(files(), ElementsAre(kLeaf + ".raw"));
  EXPECT_THAT(not_shown(vhd_of(kBase)).reason, HasSubstr("journal coalesce_"));
}

TEST_F(VhdSorting, ACloneBelowALeafHidesItAndIsNoFault) {
  add_chain();
  volumes_.push_back(lv("clone_" + kRoot + "_x", {"journaler"}));
  sort();
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(not_shown(vhd_of(kLeaf)).reason, HasSubstr("journal clone_"));
  EXPECT_FALSE(not_shown(vhd_of(kLeaf)).faulty);
}

TEST_F(VhdSorting, OfARawVdiAndAVhdOfOneNameTheRawOneIsShownReadOnly) {
  for (const bool raw_first : {true, false}) {
    volumes_.clear();
    contents_ = {};
    if (raw_first) volumes_.push_back(lv("LV-" + kLeaf));
    add(kLeaf, dynamic_head(1));
    if (!raw_first) volumes_.push_back(lv("LV-" + kLeaf));
    sort();
    ASSERT_THAT(files(), ElementsAre(kLeaf + ".raw"));
    EXPECT_EQ(catalog_.volumes.at(0).kind, "raw");
    EXPECT_THAT(catalog_.volumes.at(0).read_only_reason, HasSubstr("claims the same VDI"));
    EXPECT_TRUE(not_shown(vhd_of(kLeaf)).faulty);
  }
}

TEST_F(VhdSorting, ARawBaseOfTheSameNameDoesNotHideAVhd) {
  add(kLeaf, dynamic_head(1));
  volumes_.push_back(lv("LV-" + kLeaf, {"hidden"}));
  sort();
  EXPECT_EQ(catalog_.volumes.at(0).kind, "vhd");
}

TEST_F(VhdSorting, EveryVhdStandsUnderLvAsBytes) {
  add_chain();
  add("44444444-4444-4444-8444-444444444444", faulty_head("x"));
  sort();
  EXPECT_THAT(catalog_.lv_names, UnorderedElementsAre(vhd_of(kLeaf), vhd_of(kBase), vhd_of(kRoot),
                                                      "VHD-44444444-4444-4444-8444-444444444444"));
}

TEST_F(VhdSorting, ARawVdisSourceIsItsLv) {
  volumes_ = {lv("LV-" + kLeaf)};
  sort();
  const Volume& volume = catalog_.volumes.at(0);
  EXPECT_FALSE(volume.is_vhd());
  EXPECT_EQ(volume.disk->plan.raw_base, "LV-" + kLeaf);
  EXPECT_EQ(volume.allocated_bytes, volume.size_bytes);
}

}  // namespace
}  // namespace lunfs::sr
