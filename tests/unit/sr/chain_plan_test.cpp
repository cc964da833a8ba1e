#include "volume/sr/chain_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sr/head_values.h"
#include "tests/unit/sr/vg_values.h"

namespace lunfs::sr {
namespace {

using testing::child_head;
using testing::dynamic_head;
using ::testing::ElementsAre;
using testing::faulty_head;
using ::testing::HasSubstr;
using testing::hidden;
using testing::lv;
using testing::unmapped;

const std::string kVg = "VG_XenStorage-c2a7af9e-ab79-4005-add1-77d2c700d84c";

/// "VHD-<uuid>" and "LV-<uuid>" of a number below 100.
std::string uuid_text(int number) {
  return fmt::format("{:08}-1111-4111-8111-111111111111", number);
}
std::string vhd_name(int number) { return "VHD-" + uuid_text(number); }
std::string raw_name(int number) { return "LV-" + uuid_text(number); }
Uuid vdi(int number) { return *Uuid::parse(uuid_text(number)); }

class PlanChain : public ::testing::Test {
 protected:
  void add(int number, VhdHead head) {
    volumes_.push_back(lv(vhd_name(number)));
    heads_.emplace(vhd_name(number), std::move(head));
  }

  /// leaf 1 on 2 on 3
  void add_three() {
    add(1, child_head(1, 2, vhd_name(2)));
    add(2, hidden(child_head(2, 3, vhd_name(3))));
    add(3, hidden(dynamic_head(3)));
  }

  /// leaf 1 on 2 on the raw base 3
  void add_on_raw() {
    add(1, child_head(1, 2, vhd_name(2)));
    add(2, hidden(child_head(2, 0, raw_name(3))));
    volumes_.push_back(lv(raw_name(3), {"hidden"}));
  }

  /// A chain of `count` images.
  void add_many(int count) {
    for (int i = 1; i < count; ++i) {
      add(i, child_head(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i + 1),
                        vhd_name(i + 1)));
    }
    add(count, dynamic_head(static_cast<std::uint8_t>(count)));
  }

  ChainPlan plan(const std::string& leaf) {
    const auto vg = testing::vg_of(kVg, volumes_);
    return plan_chain(*vg, heads_, in_transition_, leaf);
  }
  std::string fault(const std::string& leaf) {
    const ChainPlan planned = plan(leaf);
    EXPECT_FALSE(planned.readable());
    EXPECT_FALSE(planned.changing());
    return planned.fault;
  }

  std::vector<lvm::LogicalVolume> volumes_;
  VhdHeads heads_;
  VdisInTransition in_transition_;
};

TEST_F(PlanChain, ARawVdiIsItsOwnBase) {
  volumes_ = {lv(raw_name(1))};
  const ChainPlan found = plan(raw_name(1));
  EXPECT_TRUE(found.readable());
  EXPECT_THAT(found.images, ElementsAre());
  EXPECT_EQ(found.raw_base, raw_name(1));
}

TEST_F(PlanChain, ADynamicVhdStandsAlone) {
  add(1, dynamic_head(1));
  const ChainPlan found = plan(vhd_name(1));
  EXPECT_TRUE(found.readable());
  EXPECT_THAT(found.images, ElementsAre(vhd_name(1)));
  EXPECT_EQ(found.raw_base, "");
}

TEST_F(PlanChain, FollowsParentsFromTheLeaf) {
  add_three();
  const ChainPlan found = plan(vhd_name(1));
  EXPECT_TRUE(found.readable()) << found.fault;
  EXPECT_THAT(found.images, ElementsAre(vhd_name(1), vhd_name(2), vhd_name(3)));
  EXPECT_EQ(found.raw_base, "");
}

TEST_F(PlanChain, EndsAtARawBase) {
  add_on_raw();
  const ChainPlan found = plan(vhd_name(1));
  EXPECT_TRUE(found.readable()) << found.fault;
  EXPECT_THAT(found.images, ElementsAre(vhd_name(1), vhd_name(2)));
  EXPECT_EQ(found.raw_base, raw_name(3));
  EXPECT_THAT(found.members(), ElementsAre(vhd_name(1), vhd_name(2), raw_name(3)));
  EXPECT_EQ(found.parent(), vhd_name(2));
  EXPECT_EQ(plan(vhd_name(2)).parent(), raw_name(3));
  EXPECT_EQ(plan(raw_name(3)).parent(), "");
}

TEST_F(PlanChain, TheVgOfAStoredNameDoesNotCount) {
  std::string doubled = vhd_name(2);
  for (std::size_t i = 0; (i = doubled.find('-', i)) != std::string::npos; i += 2) {
    doubled.insert(i, "-");
  }
  add(1, child_head(1, 2, "VG_XenStorage--7f3c2a10--5b1e-" + doubled));
  add(2, dynamic_head(2));
  EXPECT_THAT(plan(vhd_name(1)).images, ElementsAre(vhd_name(1), vhd_name(2)));
}

TEST_F(PlanChain, LocatorsHelpWhereTheHeadersNameIsNobodys) {
  for (const std::string& stored : {std::string(), vhd_name(9)}) {
    volumes_.clear();
    heads_.clear();
    VhdHead child = child_head(1, 2, stored);
    child.parent_names = {vhd_name(8), vhd_name(2)};
    add(1, child);
    add(2, dynamic_head(2));
    EXPECT_THAT(plan(vhd_name(1)).images, ElementsAre(vhd_name(1), vhd_name(2))) << stored;
  }
}

TEST_F(PlanChain, TheHeadersNameGoesBeforeTheLocators) {
  VhdHead child = child_head(1, 2, vhd_name(2));
  child.parent_names = {vhd_name(3)};
  add(1, child);
  add(2, dynamic_head(2));
  add(3, dynamic_head(3));
  EXPECT_THAT(plan(vhd_name(1)).images, ElementsAre(vhd_name(1), vhd_name(2)));
}

TEST_F(PlanChain, AChildMayBeLargerOrSmallerThanItsParent) {
  add_three();
  heads_.at(vhd_name(1)).image->footer.size_bytes = 2 * testing::kDiskBytes;
  EXPECT_TRUE(plan(vhd_name(1)).readable());
  heads_.at(vhd_name(1)).image->footer.size_bytes = testing::kDiskBytes / 2;
  EXPECT_TRUE(plan(vhd_name(1)).readable());
}

TEST_F(PlanChain, AHeadThatWasNotReadIsAskedFor) {
  add_three();
  heads_.erase(vhd_name(2));
  const ChainPlan found = plan(vhd_name(1));
  EXPECT_EQ(found.needs_head, vhd_name(2));
  EXPECT_FALSE(found.readable());
  heads_.clear();
  EXPECT_EQ(plan(vhd_name(1)).needs_head, vhd_name(1));
}

TEST_F(PlanChain, AParentThatIsNotInTheVgIsNamed) {
  add(1, child_head(1, 2, vhd_name(2)));
  EXPECT_EQ(fault(vhd_name(1)), "its parent " + vhd_name(2) + " is not in this VG");
}

TEST_F(PlanChain, AMissingGrandparentIsTheParentsFault) {
  add_three();
  volumes_.pop_back();
  EXPECT_EQ(fault(vhd_name(1)),
            vhd_name(2) + " below it: its parent " + vhd_name(3) + " is not in this VG");
}

TEST_F(PlanChain, AParentThatIsNotNamedAtAllIsAFault) {
  add(1, child_head(1, 2, ""));
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("names none"));
}

TEST_F(PlanChain, AnUnmappedMemberIsAFaultWithItsReason) {
  add_three();
  volumes_[1] = unmapped(vhd_name(2), "segment 1 is beyond the PV");
  EXPECT_EQ(fault(vhd_name(1)), vhd_name(2) + " below it: segment 1 is beyond the PV");
}

TEST_F(PlanChain, AnUnmappedRawBaseIsAFaultWithItsReason) {
  add_on_raw();
  volumes_[2] = unmapped(raw_name(3), "thin LV");
  EXPECT_EQ(fault(vhd_name(1)), raw_name(3) + " below it: thin LV");
}

TEST_F(PlanChain, AFaultyMemberIsAFaultWithItsReason) {
  add_three();
  heads_.at(vhd_name(3)) = faulty_head("the checksum is wrong");
  EXPECT_EQ(fault(vhd_name(1)), vhd_name(3) + " below it: the checksum is wrong");
  heads_.at(vhd_name(1)) = faulty_head("no footer");
  EXPECT_EQ(fault(vhd_name(1)), "no footer");
}

TEST_F(PlanChain, AParentWithAnotherUuidIsAFaultWithBoth) {
  add_three();
  heads_.at(vhd_name(2)).image->footer.uuid = testing::image_uuid(0x77);
  EXPECT_THAT(fault(vhd_name(1)), ::testing::AllOf(HasSubstr(vhd_name(2)), HasSubstr("77777777-"),
                                                   HasSubstr("02020202-")));
}

TEST_F(PlanChain, ACircleIsAFault) {
  add(1, child_head(1, 2, vhd_name(2)));
  add(2, child_head(2, 1, vhd_name(1)));
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("circle"));
  add(3, child_head(3, 3, vhd_name(3)));
  EXPECT_THAT(fault(vhd_name(3)), HasSubstr("circle"));
}

TEST_F(PlanChain, ThirtyImagesAreReadAndNoMore) {
  add_many(kMaxChainImages);
  EXPECT_EQ(plan(vhd_name(1)).images.size(), kMaxChainImages);
  heads_.clear();
  volumes_.clear();
  add_many(kMaxChainImages + 1);
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("longer than 30"));
  EXPECT_TRUE(plan(vhd_name(2)).readable());
}

TEST_F(PlanChain, ARawBaseCountsAsAnImage) {
  add_many(kMaxChainImages);
  volumes_.push_back(lv(raw_name(99)));
  heads_.at(vhd_name(kMaxChainImages)) =
      child_head(static_cast<std::uint8_t>(kMaxChainImages), 0, raw_name(99));
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("longer than 30"));
  EXPECT_EQ(plan(vhd_name(2)).raw_base, raw_name(99));
}

TEST_F(PlanChain, AnEncryptedMemberIsAFault) {
  add_three();
  heads_.at(vhd_name(2)).image->batmap.emplace().encrypted = true;
  EXPECT_EQ(fault(vhd_name(1)), vhd_name(2) + " below it: it is encrypted");
}

TEST_F(PlanChain, AVhdIsNoRawParent) {
  add(1, child_head(1, 0, vhd_name(2)));
  add(2, dynamic_head(2));
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("is a VHD, but a raw volume is expected"));
}

TEST_F(PlanChain, ARawVolumeIsNoVhdParent) {
  add(1, child_head(1, 2, raw_name(2)));
  volumes_.push_back(lv(raw_name(2)));
  EXPECT_THAT(fault(vhd_name(1)), HasSubstr("is a raw volume, but a VHD"));
}

TEST_F(PlanChain, WhatIsNoVdiIsNobodysParent) {
  for (const std::string& name :
       {std::string("MGT"), "QCOW2-" + uuid_text(2), "VHD-OLD_" + uuid_text(2),
        "LV-OLD_" + uuid_text(2), std::string("backup"), uuid_text(2) + ".cbtlog"}) {
    for (const std::uint8_t parent : {std::uint8_t{0}, std::uint8_t{2}}) {
      volumes_.clear();
      heads_.clear();
      add(1, child_head(1, parent, name));
      volumes_.push_back(lv(name));
      EXPECT_THAT(fault(vhd_name(1)), HasSubstr("its name is neither")) << name;
    }
  }
}

TEST_F(PlanChain, ALeafThatAnyJournalNamesIsChanging) {
  for (const std::string type :
       {"clone", "leaf", "inflate", "relink", "coalesce", "zero", "jvhd", "later"}) {
    volumes_.clear();
    heads_.clear();
    add_three();
    in_transition_ = {{vdi(1), {{type + "_x", type}}}};
    const ChainPlan found = plan(vhd_name(1));
    EXPECT_TRUE(found.changing()) << type;
    EXPECT_EQ(found.fault, "being changed: journal " + type + "_x");
  }
}

TEST_F(PlanChain, SomeJournalsOfAMemberDoNotHinderReading) {
  for (const std::string type : {"coalesce", "relink", "inflate"}) {
    volumes_.clear();
    heads_.clear();
    add_on_raw();
    in_transition_ = {{vdi(2), {{type + "_x", type}}}, {vdi(3), {{type + "_y", type}}}};
    EXPECT_TRUE(plan(vhd_name(1)).readable()) << type;
  }
}

TEST_F(PlanChain, TheOtherJournalsOfAMemberDo) {
  for (const std::string type : {"clone", "leaf", "zero", "jvhd", "later", ""}) {
    for (const int member : {2, 3}) {
      volumes_.clear();
      heads_.clear();
      add_on_raw();
      in_transition_ = {{vdi(member), {{"first", "relink"}, {type + "_x", type}}}};
      const ChainPlan found = plan(vhd_name(1));
      EXPECT_TRUE(found.changing()) << type;
      EXPECT_THAT(found.fault, HasSubstr("below it: being changed: journal " + type + "_x"));
    }
  }
}

TEST_F(PlanChain, AJournalOfAnotherDiskDoesNotMatter) {
  add_three();
  in_transition_ = {{vdi(9), {{"clone_x", "clone"}}}};
  EXPECT_TRUE(plan(vhd_name(1)).readable());
}

TEST_F(PlanChain, ALeafThatIsNotInTheVgIsAFault) {
  EXPECT_EQ(fault(vhd_name(1)), "the VG has no such LV");
}

TEST_F(PlanChain, ParentOfFindsOnlyLvsOfTheVg) {
  add_three();
  const auto vg = testing::vg_of(kVg, volumes_);
  const ChainPlanner planner(*vg, heads_, in_transition_);
  EXPECT_EQ(planner.parent_of(heads_.at(vhd_name(1))), vhd_name(2));
  EXPECT_EQ(planner.parent_of(heads_.at(vhd_name(3))), "");
  EXPECT_EQ(planner.parent_of(child_head(4, 5, vhd_name(5))), "");
  EXPECT_EQ(planner.parent_of(faulty_head("x")), "");
}

}  // namespace
}  // namespace lunfs::sr
