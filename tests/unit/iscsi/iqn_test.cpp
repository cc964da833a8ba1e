#include "iscsi/iqn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;

std::string fault_of(std::string_view text) {
  try {
    Iqn::parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    return error.message();
  }
  return {};
}

TEST(Iqn, TakesEveryForm) {
  for (const char* text :
       {"iqn.2026-11.example:sr", "iqn.2001-05.com.array", "iqn.1991-12.a-b.c:x.y-z:1",
        "eui.02004567a425678d", "naa.52004567ba64678d", "naa.62004567ba64678d0123456789abcdef"}) {
    EXPECT_EQ(Iqn::parse(text).text(), text);
  }
}

TEST(Iqn, IsLowerCased) {
  EXPECT_EQ(Iqn::parse("IQN.2026-11.Example:SR").text(), "iqn.2026-11.example:sr");
  EXPECT_EQ(Iqn::parse("eui.02004567A425678D"), Iqn::parse("EUI.02004567a425678d"));
}

TEST(Iqn, KeepsItsSpelling) {
  const Iqn name = Iqn::parse("iqn.2000-01.com.nas:Disk.Target-1");
  EXPECT_EQ(name.spelling(), "iqn.2000-01.com.nas:Disk.Target-1");
  EXPECT_EQ(name, Iqn::parse("iqn.2000-01.com.nas:disk.target-1"));
}

TEST(Iqn, RefusesWithTheFault) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {"", "empty"},
      {"iqn", "starts with neither"},
      {"foo.2026-11.example", "starts with neither"},
      {"iqn.", "year and month"},
      {"iqn.202-11.example", "year and month"},
      {"iqn.2026-1.example", "year and month"},
      {"iqn.2026-00.example", "month 00 does not exist"},
      {"iqn.2026-13.example", "month 13 does not exist"},
      {"iqn.0000-01.example", "year 0000"},
      {"iqn.2026-11", "no domain"},
      {"iqn.2026-11example", "no domain"},
      {"iqn.2026-11.", "domain is empty"},
      {"iqn.2026-11.:x", "domain is empty"},
      {"iqn.2026-11.a..b", "empty part"},
      {"iqn.2026-11.a.", "empty part"},
      {"iqn.2026-11.a:", "nothing follows the colon"},
      {"iqn.2026-11.exa mple", "character 16"},
      {"iqn.2026-11.example/sr", "character 20"},
      {"iqn.2026-11.ex\xc3\xa4mple", "character 15"},
      {"eui.02004567a425678", "15 hex digits"},
      {"eui.02004567a425678d0", "17 hex digits"},
      {"eui.02004567a425678g", "other than hex digits"},
      {"naa.52004567ba64678", "16 or 32"},
      {"naa.52004567ba64678d0", "17 hex digits"},
  };
  for (const auto& c : cases) EXPECT_THAT(fault_of(c.text), HasSubstr(c.fault)) << c.text;
}

TEST(Iqn, IsAtMost223BytesLong) {
  const std::string longest = "iqn.2026-11.example:" + std::string(203, 'x');
  ASSERT_EQ(longest.size(), 223U);
  EXPECT_EQ(Iqn::parse(longest).text(), longest);
  EXPECT_THAT(fault_of(longest + "x"), HasSubstr("longer than 223 bytes (224)"));
}

}  // namespace
}  // namespace lunfs::iscsi
