#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "volume/lvm/names.h"
#include "volume/lvm/text_scan.h"
#include "volume/lvm/text_tree.h"

namespace lunfs::lvm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::string_literals;  // NOLINT: strings with NULs inside

void expect_refused(const std::string& text, const std::string& what) {
  try {
    static_cast<void>(TextTree::parse(text));
    FAIL() << "no error for: " << text << "; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr(what)) << text;
  }
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "a {";
  text += "x = 1";
  return text + std::string(depth, '}');
}

TEST(TextScan, SixteenLevelsAreRead) { EXPECT_NO_THROW(check_text(nested(kMaxTextDepth))); }
TEST(TextScan, SeventeenLevelsAreRefused) {
  expect_refused(nested(kMaxTextDepth + 1), "nest deeper than 16 levels");
}
TEST(TextScan, TextThatWouldExhaustTheParsersStackIsRefused) {
  expect_refused(nested(500000), "nest deeper");
}

TEST(TextScan, BracesInStringsAndCommentsDoNotCount) {
  EXPECT_NO_THROW(check_text("a { x = \"{{{\" y = '}}' # }}} {\n }"));
  EXPECT_NO_THROW(check_text("a { x = \"\\\"{\" }"));
  EXPECT_NO_THROW(check_text("a { x = '\\' }"));  // '...' has no escapes
}

TEST(TextScan, TextCutShortIsSaidSo) {
  expect_refused("vg0 { x = 1", "cut short: it ends at byte 11 inside 1 open section");
  expect_refused("vg0 { a {", "cut short: it ends at byte 9 inside 2 open sections");
  expect_refused("vg0 { x = \"ab", "cut short: it ends at byte 13 inside a string");
  expect_refused("vg0 { x = \"ab\\", "cut short");
  expect_refused("vg0 { x = 'ab}", "cut short");
}

TEST(TextScan, OddTextIsRefusedWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"vg0 { x = 1 }\0 more"s, "byte 13: a NUL byte"},
      {"# comment\nvg0 { }", "byte 0: expected the VG's name"},
      {" vg0 { }", "byte 0: expected the VG's name"},
      {"vg0 { } }", "byte 8: a '}' without its '{'"},
      {"vg0 { a/b = 1 }", "byte 6: a key with a '/'"},
      {"vg0 { \"a/b\" { } }", "byte 6: a key with a '/'"},
      {"vg0 { x = 010 }", "\"010 \" is not a decimal number"},
      {"vg0 { x = 0x10 }", "\"0x\" is not a decimal number"},
      {"vg0 { x = -010 }", "is not a decimal number"},
      {"vg0 { x = - }", "\"- \" is not a decimal number"},
      {"vg0 { x = +5 }", "is not a decimal number"},
      {"vg0 { x = .5 }", "is not a decimal number"},
      {"vg0 { x = 5x }", "\"5x\" is not a decimal number"},
      {"vg0 { x = [1, 2x] }", "\"2x\" is not a decimal number"},
      {"vg0 { x = a\"b }", "byte 11: \"\"\" inside a word"},
      {"vg0 { x = [a] }", "byte 12: \"]\" inside a word"},
      {"vg0 { x = \x80 }", "byte 10: \"\\x80\" inside a word"},
  };
  for (const auto& [text, what] : rows) expect_refused(text, what);
}

TEST(TextScan, OrdinaryNumbersPass) {
  EXPECT_NO_THROW(check_text("v { a = 0 b = -1 c = 0.5 d = [1,2, 3] e=9}"));
  EXPECT_NO_THROW(
      check_text("v { a = 0"
                 "}"));
  EXPECT_NO_THROW(check_text("007 { a = 1 }"));  // a name, not a number
}

TEST(TextTree, ParsersOwnWordsAreInTheError) {
  expect_refused("vg0 { x = }", "cannot be parsed: Parse error at byte");
  expect_refused("vg0 { x 1 }", "unexpected token");
  expect_refused("vg0 { x = 99999999999999999999 }", "Failed to read int token");
  expect_refused("", "of 0 bytes cannot be parsed: it is empty");
}

TEST(TextTree, ParserWritesNothingToStderr) {
  ::testing::internal::CaptureStderr();
  expect_refused("vg0 { x = }", "cannot be parsed");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(TextTree, ValuesAreReadByType) {
  const TextTree tree = TextTree::parse(
      "v { n = 5 s = \"a \\\"b\\\" \\\\\" list = [\"x\", 3] one = \"w\" none = [] sub { } bare = "
      "word }\nversion = 1");
  const TextSection v = tree.sections().at(0);
  EXPECT_EQ(v.name(), "v");
  EXPECT_EQ(v.number("n", 5), 5U);
  EXPECT_EQ(v.text("s"), "a \"b\" \\");
  EXPECT_EQ(v.text("bare"), "word");
  EXPECT_THAT(v.words("one"), ElementsAre("w"));
  EXPECT_THAT(v.words("none"), IsEmpty());
  EXPECT_THAT(v.values("list"),
              ElementsAre(TextValue{std::string_view("x")}, TextValue{std::int64_t{3}}));
  EXPECT_TRUE(v.section("sub").has_value());
  EXPECT_FALSE(v.section("other").has_value());
  EXPECT_EQ(v.optional_text("other"), std::nullopt);
  EXPECT_EQ(tree.top_number("version"), 1);
  EXPECT_EQ(tree.top_text("version"), std::nullopt);
}

template <typename Call>
void expect_error(Call call, const std::string& what) {
  try {
    call();
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(error.message(), what);
  }
}

TEST(TextTree, NumbersAreCheckedAtTheirLimits) {
  const TextTree tree = TextTree::parse(
      "v { max = 4294967295 over = 4294967296 minus = -1 big = 9223372036854775807 f = 1.0 s = "
      "\"1\" l = [1, 2] }");
  const TextSection v = tree.sections().at(0);
  EXPECT_EQ(v.number32("max"), std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(v.number("big", ~0ULL), 9223372036854775807U);
  const std::string range = "expected a number from 0 to 4294967295";
  expect_error([&] { static_cast<void>(v.number32("over")); }, "over is 4294967296, " + range);
  expect_error([&] { static_cast<void>(v.number32("minus")); }, "minus is -1, " + range);
  expect_error([&] { static_cast<void>(v.number32("f")); }, "f is 1, " + range);
  expect_error([&] { static_cast<void>(v.number32("s")); }, "s is \"1\", " + range);
  expect_error([&] { static_cast<void>(v.number32("l")); }, "l is a list of 2, " + range);
  expect_error([&] { static_cast<void>(v.number32("x")); }, "x is missing");
}

TEST(TextTree, WrongTypesAreSaidSo) {
  const TextTree tree = TextTree::parse("v { n = 5 l = [\"a\", 1] s { } }");
  const TextSection v = tree.sections().at(0);
  expect_error([&] { static_cast<void>(v.text("n")); }, "n is 5, expected a string");
  expect_error([&] { static_cast<void>(v.text("s")); }, "s is a section, expected a value");
  expect_error([&] { static_cast<void>(v.words("l")); },
               "l is a list of 2, expected a list of strings");
  expect_error([&] { static_cast<void>(v.section("n")); }, "n is 5, expected a section");
}

TEST(TextTree, TheSameKeyTwiceIsNoticed) {
  const TextTree tree = TextTree::parse("v { a = 1 b = 2 a { } } w { a = 1 }");
  expect_error([&] { tree.sections().at(0).check_no_duplicates(); }, "a stands there twice");
  EXPECT_NO_THROW(tree.sections().at(1).check_no_duplicates());
}

TEST(Names, AreCheckedAsLvm2Does) {
  for (const std::string good : {"a", "0", "with.dots+plus-dash_under", "...", "a-"}) {
    EXPECT_TRUE(is_valid_name(good)) << good;
  }
  for (const std::string bad : {"", ".", "..", "-a", "a/b", "a b", "ä", "a\n"}) {
    EXPECT_FALSE(is_valid_name(bad)) << bad;
  }
  EXPECT_TRUE(is_valid_name(std::string(127, 'x')));
  EXPECT_FALSE(is_valid_name(std::string(128, 'x')));
}

TEST(Names, TagsAreCheckedAsLvm2Does) {
  EXPECT_TRUE(is_valid_tag("a/b=c:d!&#+_.-"));
  for (const std::string bad : {"", "a b", "a@b", "\x80"}) EXPECT_FALSE(is_valid_tag(bad)) << bad;
}

TEST(Names, UntrustedTextIsShownInPrintableAscii) {
  EXPECT_EQ(printable("a\nb\x80\\"), "a\\x0ab\\x80\\x5c");
  EXPECT_EQ(printable(std::string(81, 'x')), std::string(80, 'x') + "...");
}

}  // namespace
}  // namespace lunfs::lvm
