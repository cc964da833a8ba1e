#include "tools/table.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace lunfs::tools {
namespace {

const std::vector<Column> kColumns = {
    {"UUID", "uuid"}, {"SIZE", "size", Column::Kind::kSize}, {"LABEL", "label"}};

TEST(Table, ColumnsAreAligned) {
  const Json records = Json::array({{{"uuid", "a"}, {"size", 4U << 20U}, {"label", "web"}},
                                    {{"uuid", "bbbbbb"}, {"size", 0U}, {"label", "x y"}}});
  EXPECT_EQ(table_text(kColumns, records),
            "UUID       SIZE  LABEL\n"
            "a       4.0 MiB  web\n"
            "bbbbbb      0 B  x y\n");
}

TEST(Table, WideCharactersTakeTwoColumns) {
  const Json records = Json::array({{{"uuid", "\xe4\xb8\xad"}, {"size", 1U}, {"label", "l"}},
                                    {{"uuid", "abc"}, {"size", 1U}, {"label", "l"}}});
  EXPECT_EQ(table_text(kColumns, records),
            "UUID  SIZE  LABEL\n"
            "\xe4\xb8\xad     1 B  l\n"
            "abc    1 B  l\n");
}

TEST(Table, WhatIsNotThereIsADash) {
  const Json records = Json::array({{{"uuid", "a"}, {"label", ""}, {"size", nullptr}}});
  EXPECT_EQ(table_text(kColumns, records), "UUID  SIZE  LABEL\na        -  -\n");
}

TEST(Table, AnOptionalColumnIsThereOnceARecordHasIt) {
  const std::vector<Column> columns = {
      {"UUID", "uuid"}, {"PARENT", "parent", Column::Kind::kText, true}, {"SIZE", "size"}};
  const Json plain = Json::array({{{"uuid", "a"}, {"size", 1U}, {"parent", ""}}});
  EXPECT_EQ(table_text(columns, plain), "UUID  SIZE\na     1\n");
  const Json child = Json::array({{{"uuid", "a"}, {"size", 1U}, {"parent", "p"}}});
  EXPECT_EQ(table_text(columns, child), "UUID  PARENT  SIZE\na     p       1\n");
}

TEST(Table, NoRecordsIsNoText) { EXPECT_EQ(table_text(kColumns, Json::array()), ""); }

TEST(Table, ANameCannotMakeALineOfItsOwn) {
  const Json records = Json::array({{{"uuid", "a\nb"}, {"size", 1U}, {"label", "\x1b[2J\r\t"}}});
  EXPECT_EQ(table_text(kColumns, records),
            "UUID    SIZE  LABEL\n"
            "a\\x0ab   1 B  \\x1b[2J\\x0d\\x09\n");
}

TEST(Table, APointerLeadsIntoARecord) {
  const std::vector<Column> columns = {{"SR", "/sr/label"}, {"RO", "ro"}, {"TAGS", "tags"}};
  const Json records = Json::array(
      {{{"sr", {{"label", "pool"}}}, {"ro", true}, {"tags", {"x", "y"}}}, {{"ro", false}}});
  EXPECT_EQ(table_text(columns, records),
            "SR    RO   TAGS\n"
            "pool  yes  x, y\n"
            "-     no   -\n");
}

TEST(Table, FactsThatAreNotThereAreLeftOut) {
  const Json record = {{"uuid", "a"}, {"size", 3U << 10U}, {"label", ""}};
  EXPECT_EQ(facts_text(kColumns, record), "UUID   a\nSIZE   3.0 KiB\n");
}

TEST(Table, MinimalIsAListWithCommas) {
  const Json records = Json::array({{{"uuid", "a"}}, {{"label", "none"}}, {{"uuid", "b"}}});
  EXPECT_EQ(minimal_text(records, "uuid"), "a,b\n");
  EXPECT_EQ(minimal_text(Json::array(), "uuid"), "\n");
}

TEST(Table, JsonHasNoBytesThatATerminalObeys) {
  const std::string text = json_text({{"label", "\x1b\x7f\xc2\x9b\xff\xc3\xa4"}});
  EXPECT_EQ(text, "{\n  \"label\": \"\\u001b\\u007f\\u009b\xef\xbf\xbd\xc3\xa4\"\n}\n");
  EXPECT_EQ(Json::parse(text)["label"], "\x1b\x7f\xc2\x9b\xef\xbf\xbd\xc3\xa4");
}

TEST(SizeText, IsRoundedDownToATenth) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text((10ULL << 30U) - 1), "9.9 GiB");
  EXPECT_EQ(size_text(1536ULL << 30U), "1.5 TiB");
  EXPECT_EQ(size_text((1ULL << 20U) - 1), "1023.9 KiB");
  EXPECT_EQ(size_text(~0ULL), "15.9 EiB");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\xc3\xa4"), 1U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);  // with a combining accent
  EXPECT_EQ(display_width("\xe4\xb8\xad"), 2U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
}

}  // namespace
}  // namespace lunfs::tools
