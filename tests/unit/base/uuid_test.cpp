#include "base/uuid.h"

#include <gtest/gtest.h>

#include <string>

namespace lunfs {
namespace {

TEST(Uuid, TextSurvivesTheRoundTripInLowerCase) {
  const auto uuid = Uuid::parse("5BC8A2f0-0001-4aBC-8def-00ff10203040");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), "5bc8a2f0-0001-4abc-8def-00ff10203040");
  EXPECT_EQ(uuid->bytes()[0], 0x5bU);
  EXPECT_EQ(uuid->bytes()[15], 0x40U);
  EXPECT_EQ(Uuid::parse(uuid->text()), uuid);
}

TEST(Uuid, ExtremesParse) {
  EXPECT_TRUE(Uuid::parse("00000000-0000-0000-0000-000000000000")->is_nil());
  const auto ones = Uuid::parse("ffffffff-ffff-ffff-ffff-ffffffffffff");
  ASSERT_TRUE(ones);
  EXPECT_FALSE(ones->is_nil());
  EXPECT_GT(*ones, Uuid());
}

TEST(Uuid, EverythingElseIsRefused) {
  for (const char* text :
       {"", "5bc8a2f0-0001-4abc-8def-00ff1020304", "5bc8a2f0-0001-4abc-8def-00ff102030400",
        "5bc8a2f000014abc8def00ff10203040", "5bc8a2f0-0001-4abc-8def-00ff1020304g",
        "5bc8a2f-00001-4abc-8def-00ff10203040", "-bc8a2f0-0001-4abc-8def-00ff10203040",
        "{bc8a2f0-0001-4abc-8def-00ff1020304}", "5bc8a2f0-0001-4abc-8def-00ff 0203040",
        "5bc8a2f0_0001_4abc_8def_00ff10203040"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
  EXPECT_FALSE(Uuid::parse(std::string("5bc8a2f0-0001-4abc-8def-00ff1020304\0", 36)));
}

TEST(LvmUuid, TextSurvivesTheRoundTripInItsCase) {
  const std::string text = "abcdef-0123-4567-89AB-CDEF-GHIJ-xyz!#Z";
  const auto uuid = LvmUuid::parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), text);
  EXPECT_EQ(uuid->compact(), "abcdef0123456789ABCDEFGHIJxyz!#Z");
  EXPECT_EQ(LvmUuid::parse(uuid->compact()), uuid);
}

TEST(LvmUuid, DashesMayStandAnywhere) {
  EXPECT_EQ(LvmUuid::parse("-a-bcdef0123456789ABCDEFGHIJxyz!#Z-")->compact(),
            "abcdef0123456789ABCDEFGHIJxyz!#Z");
}

TEST(LvmUuid, OtherLengthsAndCharactersAreRefused) {
  for (const char* text :
       {"", "--", "abcdef0123456789ABCDEFGHIJxyz!#", "abcdef0123456789ABCDEFGHIJxyz!#ZZ",
        "abcdef0123456789ABCDEFGHIJxyz!#_", "abcdef0123456789ABCDEFGHIJxyz!# ",
        "abcdef0123456789ABCDEFGHIJxyz!#/"}) {
    EXPECT_FALSE(LvmUuid::parse(text)) << text;
  }
  EXPECT_FALSE(LvmUuid::parse(std::string(32, '\0')));
}

}  // namespace
}  // namespace lunfs
