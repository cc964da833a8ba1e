#include "base/text.h"

#include <gtest/gtest.h>

namespace lunfs {
namespace {

TEST(Text, TrimmedLosesBlanksAtBothEndsOnly) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, LowerCaseChangesAsciiLettersOnly) {
  EXPECT_EQ(lower_case("AZaz09-[`\xc3\x84"), "azaz09-[`\xc3\x84");
}

TEST(Text, ControlCharactersAreFound) {
  EXPECT_TRUE(has_control_character("a\nb"));
  EXPECT_TRUE(has_control_character("a\x7f"));
  EXPECT_FALSE(has_control_character("a b~\xc3\x84"));
}

}  // namespace
}  // namespace lunfs
