#include "iscsi/isid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;

TEST(Isid, ComesBackAsItsDigits) {
  for (const char* text : {"00023d000000", "3fffffffffff", "40000000ffff", "80abcdef0123"}) {
    EXPECT_EQ(Isid::parse(text).text(), text);
  }
  EXPECT_EQ(Isid::parse("00:02:3D:00:00:01").text(), "00023d000001");
}

TEST(Isid, OpenIscsisIsKnownByName) {
  EXPECT_EQ(Isid::parse("open-iscsi"), Isid::parse("00023d000000"));
}

TEST(Isid, WhatCannotBeSentIsRefused) {
  const std::pair<const char*, const char*> cases[] = {{"", "0 digits"},
                                                       {"00023d00000", "11 digits"},
                                                       {"00023d0000000", "13 digits"},
                                                       {"00023d00000g", "hex"},
                                                       {"+0023d000000", "hex"},
                                                       {"c00000000000", "reserved"},
                                                       {"810000000000", "first byte"},
                                                       {"7f0000000000", "first byte"}};
  for (const auto& [text, fault] : cases) {
    try {
      Isid::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_THAT(error.message(), HasSubstr(fault)) << text;
    }
  }
}

TEST(Isid, RandomOnesDifferAndAreOfTheRandomType) {
  EXPECT_NE(Isid::random(), Isid::random());
  EXPECT_EQ(Isid::parse(Isid::random().text()).bytes()[0], 0x80);
}

}  // namespace
}  // namespace lunfs::iscsi
