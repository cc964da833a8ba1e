#include "volume/sr/mgt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/unpack.h"
#include "tests/unit/sr/mgt_builder.h"

namespace lunfs::sr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::string_literals;
using testing::MgtBuilder;

const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";

std::vector<std::string> labels(const Mgt& mgt) {
  std::vector<std::string> result;
  for (const VdiRecord& vdi : mgt.vdis) result.push_back(vdi.label);
  return result;
}

ErrorKind kind_of_header(std::string_view header) {
  try {
    (void)parse_mgt(MgtBuilder().set_header(header).bytes());
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error for " << header;
  return ErrorKind::kInternal;
}

TEST(MgtSample, IsReadAsTheStorageManagerReadsIt) {
  const auto bytes = lunfs::testing::unpack(LUNFS_TEST_DATA "/xenserver/mgt-sample.bin.xz");
  const Mgt mgt = parse_mgt(bytes);
  EXPECT_EQ(mgt.sr_uuid, Uuid::parse("7f3c2a10-5b1e-4d6a-9c1f-0123456789ab"));
  EXPECT_EQ(mgt.label, "iSCSI & \"SAN\" <1>");
  EXPECT_EQ(mgt.description, "Pool storage");
  EXPECT_EQ(mgt.allocation, "thick");
  ASSERT_THAT(mgt.vdis, SizeIs(2));  // two deleted slots stand beyond the used length
  EXPECT_EQ(mgt.vdis[0].uuid.text(), kOne);
  EXPECT_EQ(mgt.vdis[0].label, "web01 root");
  EXPECT_EQ(mgt.vdis[0].description, "boot & root");
  EXPECT_EQ(mgt.vdis[0].vdi_type, "vhd");
  EXPECT_EQ(mgt.vdis[0].type, "user");
  EXPECT_EQ(mgt.vdis[0].snapshot_time, "19700101T00:00:00Z");
  EXPECT_EQ(mgt.vdis[0].metadata_of_pool, "OpaqueRef:NULL");
  EXPECT_TRUE(mgt.vdis[0].managed);
  EXPECT_FALSE(mgt.vdis[0].read_only);
  EXPECT_EQ(mgt.vdis[0].offset, 2048U);
  EXPECT_EQ(mgt.vdis[1].uuid.text(), "44444444-4444-4444-8444-444444444444");
  EXPECT_EQ(mgt.vdis[1].label, "db é disk");
  EXPECT_EQ(mgt.vdis[1].vdi_type, "aio");
  EXPECT_EQ(mgt.vdis[1].offset, 3072U);
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(MgtSample, SkipsADeletedSlotInTheMiddle) {
  const auto bytes =
      lunfs::testing::unpack(LUNFS_TEST_DATA "/xenserver/mgt-sample-before-reuse.bin.xz");
  const Mgt mgt = parse_mgt(bytes);
  ASSERT_THAT(mgt.vdis, SizeIs(2));
  EXPECT_EQ(mgt.vdis[0].offset, 2048U);
  EXPECT_EQ(mgt.vdis[1].offset, 4096U);
  EXPECT_FALSE(mgt.vdis[1].managed);
  EXPECT_TRUE(mgt.vdis[1].read_only);
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(MgtHeader, GivesTheUsedLength) {
  const auto used = [](std::string_view header) {
    return parse_mgt_header(MgtBuilder().set_header(header).bytes().first(512));
  };
  EXPECT_EQ(used("XSSM:2048      :1:2"), 2048U);
  EXPECT_EQ(used("XSSM:4194304   :1:0"), 4194304U);
  EXPECT_EQ(used("XSSM:512:1:2"), 512U);
  EXPECT_EQ(used("XSSM:3072      :1:2\0\0\0"s), 3072U);
}

TEST(MgtHeader, OfZerosMeansNothingWrittenYet) {
  EXPECT_EQ(parse_mgt_header(std::vector<std::byte>(512)), 0U);
  EXPECT_THAT(parse_mgt(std::vector<std::byte>(4096)).warnings, ElementsAre("it is empty"));
}

TEST(MgtHeader, InTheOldBinaryFormIsUnsupported) {
  EXPECT_EQ(kind_of_header("XSSM\0\x10\0\0\0\0\0\0"s), ErrorKind::kUnsupported);
}

TEST(MgtHeader, OfAnotherMajorVersionIsUnsupported) {
  EXPECT_EQ(kind_of_header("XSSM:2048      :2:0"), ErrorKind::kUnsupported);
}

TEST(MgtHeader, OfAnotherFormIsCorrupt) {
  for (const std::string_view header :
       {"", "XSSN:2048      :1:2", "xssm:2048:1:2", "XSSM:", "XSSM:2048", "XSSM:2048      :1",
        "XSSM:2048      :1:2:3", "XSSM:          :1:2", "XSSM:-1:1:2", "XSSM:0x800:1:2",
        "XSSM:2048 1:1:2", "XSSM:99999999999999999999:1:2"}) {
    EXPECT_EQ(kind_of_header(header), ErrorKind::kCorrupt) << header;
  }
}

TEST(MgtHeader, ShorterThanASectorIsCorrupt) {
  EXPECT_THROW((void)parse_mgt_header(std::vector<std::byte>(511)), Error);
  EXPECT_THROW((void)parse_mgt({}), Error);
}

TEST(Mgt, NothingBeyondTheUsedLengthIsRead) {
  MgtBuilder builder;
  builder.slot("in", kOne);
  const std::string header = "XSSM:3072      :1:2";
  builder.slot("out", kTwo).set_header(header);
  EXPECT_THAT(labels(parse_mgt(builder.bytes())), ElementsAre("in"));
}

TEST(Mgt, AUsedLengthBeyondTheBytesIsBoundedWithAWarning) {
  MgtBuilder builder;
  builder.slot("a", kOne).set_header("XSSM:1099511627:1:2");
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("a"));
  EXPECT_THAT(mgt.warnings,
              ElementsAre("its header says 1099511627 bytes, but only 3072 are read"));
}

TEST(Mgt, AUsedLengthInsideTheSrSectorsReadsWhatIsThere) {
  const Mgt mgt = parse_mgt(MgtBuilder().set_header("XSSM:1536      :1:2").bytes());
  EXPECT_EQ(mgt.label, "SR & label");
  EXPECT_EQ(mgt.description, "");
}

TEST(Mgt, APartOfASlotAtTheEndIsLeftOutWithAWarning) {
  MgtBuilder builder;
  builder.slot("a", kOne).slot("b", kTwo).set_header("XSSM:3584      :1:2");
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("a"));
  EXPECT_THAT(mgt.warnings, ElementsAre("512 bytes at its end are not a whole slot"));
}

TEST(Mgt, ABadSrSectorCostsOnlyItself) {
  MgtBuilder builder;
  builder.slot("a", kOne).set_sector(2, "<name_label>broken");
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_EQ(mgt.label, "");
  EXPECT_EQ(mgt.description, "about it");
  EXPECT_TRUE(mgt.sr_uuid);
  EXPECT_THAT(labels(mgt), ElementsAre("a"));
  EXPECT_THAT(mgt.warnings, ElementsAre(HasSubstr("name_label is not XML")));
}

TEST(Mgt, ABadSrUuidIsAWarning) {
  const Mgt mgt = parse_mgt(MgtBuilder().set_sector(1, "<uuid>7f3c</uuid>").bytes());
  EXPECT_FALSE(mgt.sr_uuid);
  EXPECT_THAT(mgt.warnings, ElementsAre("the SR's uuid is '7f3c', not a uuid"));
}

TEST(Mgt, ABadSlotCostsOnlyItself) {
  MgtBuilder builder;
  builder.raw_slot("<vdi><name_label>x</name_labe>", "<uuid>" + kOne + "</uuid></vdi>");
  builder.raw_slot("\xff\x01 no XML at all <", "");
  builder.raw_slot("", "");
  builder.slot("bad uuid", "1111");
  builder.slot("good", kTwo);
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("good"));
  EXPECT_THAT(mgt.warnings,
              ElementsAre(HasSubstr("slot at byte 2048"), HasSubstr("slot at byte 3072"),
                          HasSubstr("slot at byte 4096"), HasSubstr("'1111' is not a uuid")));
}

TEST(Mgt, OfTwoSlotsForOneVdiTheFirstCounts) {
  MgtBuilder builder;
  builder.slot("first", kOne).slot("second", kOne);
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("first"));
  EXPECT_THAT(mgt.warnings, ElementsAre(HasSubstr("VDI " + kOne + " has one already")));
}

TEST(Mgt, ADeletedSlotNeitherCountsNorTakesTheUuid) {
  MgtBuilder builder;
  builder.slot("old", kOne, "<deleted>1</deleted>").slot("new", kOne);
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("new"));
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(Mgt, NulPaddingIsAsGoodAsSpaces) {
  MgtBuilder builder;
  builder.slot("a", kOne);
  builder.set_sector(2, "<name_label>SR</name_label>", '\0');
  builder.set_sector(4, "<vdi><name_label>a</name_label><name_description/>", '\0');
  builder.set_sector(5, "<uuid>" + kOne + "</uuid></vdi>", '\0');
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_EQ(mgt.label, "SR");
  EXPECT_THAT(labels(mgt), ElementsAre("a"));
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(Mgt, AnEntityCutInTheMiddleStaysAsItIs) {
  MgtBuilder builder;
  builder.slot("R&amp;D &lt;long &am", kOne);
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("R&D <long &am"));
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(Mgt, ControlCharactersAndBadUtf8InLabelsAreKept) {
  MgtBuilder builder;
  builder.slot("a\r\nb\x1b\x7f \xff", kOne);
  EXPECT_THAT(labels(parse_mgt(builder.bytes())), ElementsAre("a\r\nb\x1b\x7f \xff"));
}

TEST(Mgt, WhiteSpaceAroundTextsIsDropped) {
  MgtBuilder builder;
  builder.slot("  a b\n", kOne).slot("   ", kTwo);
  EXPECT_THAT(labels(parse_mgt(builder.bytes())), ElementsAre("a b", ""));
}

TEST(Mgt, FlagsAndRelationsAreRead) {
  MgtBuilder builder;
  builder.slot("a", kOne,
               "<read_only>1</read_only><managed>0</managed><is_a_snapshot>1</is_a_snapshot>"
               "<snapshot_of>" +
                   kTwo + "</snapshot_of><type>redo_log</type>");
  const VdiRecord vdi = parse_mgt(builder.bytes()).vdis.at(0);
  EXPECT_TRUE(vdi.read_only);
  EXPECT_FALSE(vdi.managed);
  EXPECT_TRUE(vdi.is_a_snapshot);
  EXPECT_EQ(vdi.snapshot_of, Uuid::parse(kTwo));
  EXPECT_EQ(vdi.type, "redo_log");
}

TEST(Mgt, MissingFlagsAreThoseOfAnOrdinaryDisk) {
  MgtBuilder builder;
  builder.slot("a", kOne, "");
  const VdiRecord vdi = parse_mgt(builder.bytes()).vdis.at(0);
  EXPECT_FALSE(vdi.read_only);
  EXPECT_TRUE(vdi.managed);
  EXPECT_FALSE(vdi.is_a_snapshot);
  EXPECT_EQ(vdi.snapshot_of, std::nullopt);
}

TEST(Mgt, UnknownElementsAreIgnored) {
  MgtBuilder builder;
  builder.slot("a", kOne, "<offset>2048</offset><new><deep>1</deep></new><x a=\"1\"/>");
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(labels(mgt), ElementsAre("a"));
  EXPECT_THAT(mgt.warnings, IsEmpty());
}

TEST(Mgt, EntitiesOfADoctypeAreNotExpanded) {
  MgtBuilder builder;
  builder.raw_slot("<!DOCTYPE x [<!ENTITY e \"boom\">]><vdi><name_label>&e;</name_label>",
                   "<uuid>" + kOne + "</uuid></vdi>");
  EXPECT_THAT(labels(parse_mgt(builder.bytes())), ElementsAre("&e;"));
}

TEST(Mgt, TheNumberOfWarningsIsBounded) {
  MgtBuilder builder;
  for (int i = 0; i < 100; ++i) builder.raw_slot("", "");
  const Mgt mgt = parse_mgt(builder.bytes());
  EXPECT_THAT(mgt.warnings, SizeIs(33));
  EXPECT_EQ(mgt.warnings.back(), "and 68 more of these");
}

TEST(Mgt, FindKnowsLiveRecordsOnly) {
  MgtBuilder builder;
  builder.slot("a", kOne).slot("b", kTwo, "<deleted>1</deleted>");
  const Mgt mgt = parse_mgt(builder.bytes());
  ASSERT_NE(mgt.find(*Uuid::parse(kOne)), nullptr);
  EXPECT_EQ(mgt.find(*Uuid::parse(kOne))->label, "a");
  EXPECT_EQ(mgt.find(*Uuid::parse(kTwo)), nullptr);
}

}  // namespace
}  // namespace lunfs::sr
