#include "volume/lvm/vg_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "tests/unit/lvm/lvm_image.h"

namespace lunfs::lvm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::parsed;
using testing::replaced;
using testing::usual_text;

void expect_refused(const std::string& text, ErrorKind kind, const std::string& what) {
  try {
    static_cast<void>(parsed(text));
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(what));
  }
}

TEST(VgText, EveryFieldIsRead) {
  const VolumeGroup vg = parsed(usual_text());
  EXPECT_EQ(vg.name, "vg0");
  EXPECT_EQ(vg.uuid.value().text(), "vgvgvg-0000-0000-0000-0000-0000-000000");
  EXPECT_EQ(vg.pv_uuid.value().text(), testing::kPvUuid);
  EXPECT_EQ(vg.header.seqno, 7U);
  EXPECT_EQ(vg.extent_bytes, testing::kExtentBytes);
  EXPECT_EQ(vg.extent_count, testing::kPeCount);
  EXPECT_EQ(vg.free_extent_count, testing::kPeCount - 10);
  EXPECT_EQ(vg.pe_start_bytes, testing::kPeStart);
  EXPECT_THAT(vg.warnings, IsEmpty());
  EXPECT_THAT(vg.write_refusals, IsEmpty());
  ASSERT_EQ(vg.volumes.size(), 2U);
  EXPECT_EQ(vg.volumes[0].name, "a");
  EXPECT_EQ(vg.volumes[0].size_bytes, 6 * testing::kExtentBytes);
  EXPECT_EQ(vg.find("b"), &vg.volumes[1]);
  EXPECT_EQ(vg.find("c"), nullptr);
}

TEST(VgText, WithoutLvsIsAnEmptyVg) {
  const VolumeGroup vg = parsed(testing::vg_text(""));
  EXPECT_THAT(vg.volumes, IsEmpty());
  EXPECT_EQ(vg.free_extent_count, testing::kPeCount);
}

struct Change {
  std::string from;
  std::string to;
  std::string expected;
  ErrorKind kind = ErrorKind::kCorrupt;
};

TEST(VgText, EveryFieldOfTheVgIsChecked) {
  const std::vector<Change> rows{
      {"vg0 {", "v\"g0\" {", "inside a word"},
      {"vg0 {", "\"v g\" {", "\"v g\" breaks the rules for a VG's name"},
      {"vg0 {", "-vg0 {", "\"-vg0\" breaks the rules"},
      {"id = \"vgvgvg", "#", "VG vg0: id is missing"},
      {"id = \"vgvgvg-", "id = \"vgvgv-", "is not an LVM uuid"},
      {"seqno = 7", "", "VG vg0: seqno is missing"},
      {"seqno = 7", "seqno = -1", "seqno is -1, expected a number from 0 to 4294967295"},
      {"seqno = 7", "seqno = 4294967296", "seqno is 4294967296"},
      {"seqno = 7", "seqno = 7 seqno = 8", "seqno stands there twice"},
      {"\"lvm2\"", "\"lvm1\"", "format is \"lvm1\", expected \"lvm2\"", ErrorKind::kUnsupported},
      {"status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]", "", "status is missing"},
      {"status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]", "status = [1]", "a list of strings"},
      {"extent_size = 128", "", "extent_size is missing"},
      {"extent_size = 128", "extent_size = 0", "extent_size is 0"},
      {"extent_size = 128", "extent_size = 4294967296", "extent_size is 4294967296"},
      {"contents = \"Text Format Volume Group\"", "", "contents is \"\", expected"},
      {"Text Format", "Test Format", "contents is \"Test Format Volume Group\""},
      {"version = 1", "", "the text's version is -1", ErrorKind::kUnsupported},
      {"version = 1", "version = 2", "the text's version is 2", ErrorKind::kUnsupported},
      {"logical_volumes {", "logical_volumes { } logical_volumes {",
       "logical_volumes stands there"},
      {"logical_volumes {", "logical_volumes = 1 x {", "logical_volumes is 1, expected a section"},
  };
  for (const Change& row : rows) {
    SCOPED_TRACE(row.to);
    expect_refused(replaced(usual_text(), row.from, row.to), row.kind, row.expected);
  }
}

TEST(VgText, EveryFieldOfThePvIsChecked) {
  const std::vector<Change> rows{
      {"physical_volumes {", "physical {", "physical_volumes is missing"},
      {"id = \"PvPvPv", "#", "id is missing"},
      {"id = \"PvPvPv-0", "id = \"PvPvPv-1", "but this LUN's label says PvPvPv-0000"},
      {"id = \"PvPvPv-0", "id = \"Pv-0", "is not an LVM uuid"},
      {"status = [\"ALLOCATABLE\"]", "", "status is missing"},
      {"pe_start = 2048", "", "pe_start is missing"},
      {"pe_start = 2048", "pe_start = -1", "pe_start is -1"},
      {"pe_start = 2048", "pe_start = 9223372036854775807", "pe_start is 9223372036854775807"},
      {"pe_count = 112", "", "pe_count is missing"},
      {"pe_count = 112", "pe_count = 4294967296", "pe_count is 4294967296"},
      {"pe_count = 112", "pe_count = 1 pe_count = 2", "pe_count stands there twice"},
  };
  for (const Change& row : rows) {
    SCOPED_TRACE(row.to);
    expect_refused(replaced(usual_text(), row.from, row.to), row.kind, row.expected);
  }
}

TEST(VgText, PvWithoutAnyPvIsCorrupt) {
  const std::string text = usual_text();
  const std::size_t begin = text.find("pv0 {");
  const std::size_t end = text.find('}', begin) + 1;
  expect_refused(text.substr(0, begin) + text.substr(end), ErrorKind::kCorrupt,
                 "physical_volumes has no PV");
}

TEST(VgText, SeveralPvsNameThoseThatAreMissing) {
  const std::string text = replaced(
      usual_text(), "physical_volumes {",
      "physical_volumes {\n"
      "pv1 {\nid = \"QvPvPv-0000-1111-2222-3333-4444-555555\"\ndevice = \"/dev/mapper/x\"\n}\n"
      "pv2 {\nid = \"RvPvPv-0000-1111-2222-3333-4444-555555\"\n}\n");
  try {
    static_cast<void>(parsed(text));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(error.message(),
              "VG vg0: the VG lies on 3 PVs and this LUN holds only "
              "PvPvPv-0000-1111-2222-3333-4444-555555; missing: "
              "QvPvPv-0000-1111-2222-3333-4444-555555 (last seen as /dev/mapper/x), "
              "RvPvPv-0000-1111-2222-3333-4444-555555 (last seen as an unknown device)");
    EXPECT_THAT(error.cause(), HasSubstr("one LUN"));
    EXPECT_THAT(error.remedy(), HasSubstr("pvmove"));
  }
}

TEST(VgText, LunShorterThanTheVgIsAWarning) {
  const VolumeGroup vg = parsed(replaced(usual_text(), "pe_count = 112", "pe_count = 113"));
  EXPECT_THAT(vg.warnings, ElementsAre(AllOf(HasSubstr("the LUN is shorter than its VG"),
                                             HasSubstr("8388608"), HasSubstr("8454144"))));
  EXPECT_TRUE(vg.find("a")->map);
}

TEST(VgText, DeviceSizeBeyondTheLunIsAWarning) {
  const VolumeGroup vg = parsed(replaced(usual_text(), "dev_size = 16384", "dev_size = 16385"));
  EXPECT_THAT(vg.warnings, ElementsAre("dev_size is 16385 sectors, but the LUN has 16384"));
}

TEST(VgText, ThePvAndItsSectionMayHaveAnyOrder) {
  // pe_count first, seqno last: a reader must not depend on lvm2's order
  std::string text = replaced(usual_text(), "pe_count = 112\n", "");
  text = replaced(text, "pv0 {\n", "pv0 {\npe_count = 112\n");
  text = replaced(text, "seqno = 7\n", "");
  text = replaced(text, "\n}\n# made", "\nseqno = 7\n}\n# made");
  EXPECT_EQ(parsed(text).find("a")->unmapped_reason, "");
}

TEST(VgText, LargeVgIsReadInGoodTime) {
  std::string lvs;
  for (unsigned i = 0; i < 10000; ++i) {
    lvs += testing::lv(fmt::format("lv{}", i), 1, testing::linear(1, 0, 1, i));
  }
  const std::string text = replaced(testing::vg_text(lvs), "pe_count = 112", "pe_count = 20000");
  const VolumeGroup vg = parsed(text);
  EXPECT_EQ(vg.volumes.size(), 10000U);
  EXPECT_EQ(vg.free_extent_count, 10000U);
}

struct Mark {
  std::string from;
  std::string to;
  std::string refusal;
};

TEST(WriteRules, MarksOfOtherHostsForbidWriting) {
  const std::string vg_status = "\"RESIZEABLE\", \"READ\", \"WRITE\"";
  const std::vector<Mark> rows{
      {"max_lv", "system_id = \"hostA\" max_lv", "system ID \"hostA\""},
      {"max_lv", "lock_type = \"sanlock\" max_lv", "lock type \"sanlock\""},
      {"max_lv", "lock_type = \"dlm\" max_lv", "lock type \"dlm\""},
      {"max_lv", "lock_type = \"idm\" max_lv", "lock type \"idm\""},
      {"max_lv", "lock_type = \"new\" max_lv", "lock type \"new\""},
      {vg_status, vg_status + ", \"CLUSTERED\"", "clustered"},
      {vg_status, vg_status + ", \"SHARED\"", "shared"},
      {vg_status, vg_status + ", \"EXPORTED\"", "the VG is exported"},
      {vg_status, vg_status + ", \"PARTIAL\"", "partial"},
      {vg_status, vg_status + ", \"SHINY\"", "the VG's status \"SHINY\" is unknown"},
      {vg_status, "\"RESIZEABLE\", \"READ\"", "no WRITE in its status"},
      {"\"ALLOCATABLE\"", "\"ALLOCATABLE\", \"EXPORTED\"", "the PV is exported"},
      {"\"ALLOCATABLE\"", "\"ALLOCATABLE\", \"MISSING\"", "marked missing"},
      {"\"ALLOCATABLE\"", "\"SHINY\"", "the PV's status \"SHINY\" is unknown"},
      {"\"ALLOCATABLE\"]\nflags = []", "\"ALLOCATABLE\"]\nflags = [\"MISSING\"]", "marked missing"},
      {"extent_size = 128", "extent_size = 3", "extent size of 3 sectors"},
      {"seqno = 7", "seqno = 4294967295", "seqno has reached its end"},
  };
  for (const Mark& row : rows) {
    SCOPED_TRACE(row.to);
    EXPECT_THAT(parsed(replaced(usual_text(), row.from, row.to)).write_refusals,
                ElementsAre(HasSubstr(row.refusal)));
  }
}

TEST(WriteRules, WhatHindersNobodyForbidsNothing) {
  const std::string vg_status = "\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"max_lv", "lock_type = \"none\" max_lv"},
      {"max_lv", "system_id = \"\" max_lv"},
      {vg_status, "\"READ\", \"WRITE\"]\nflags = []"},
      {vg_status, "\"READ\"]\nflags = [\"WRITE_LOCKED\"]"},
      {vg_status, "\"READ\", \"WRITE\"]\nflags = [\"NOAUTOACTIVATE\", \"LATER\"]"},
      {"status = [\"ALLOCATABLE\"]", "status = []"},
      {"status = [\"ALLOCATABLE\"]", "status = \"ALLOCATABLE\""},
      {"extent_size = 128", "extent_size = 1"},
      {"extent_size = 128", "extent_size = 768"},
      {"seqno = 7", "seqno = 0"},
      {"seqno = 7", "seqno = 4294967294"},
  };
  for (const auto& [from, to] : rows) {
    SCOPED_TRACE(to);
    EXPECT_THAT(parsed(replaced(usual_text(), from, to)).write_refusals, IsEmpty());
  }
}

}  // namespace
}  // namespace lunfs::lvm
