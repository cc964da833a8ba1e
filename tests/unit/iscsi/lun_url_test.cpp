#include "iscsi/lun_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string fault_of(const std::string& text) {
  try {
    LunUrl::parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    return three_part_text(error);
  }
  return "no fault";
}

TEST(LunUrl, TakesEveryPart) {
  const LunUrl url = LunUrl::parse("iscsi://alice@san.example:3261/iqn.2026-11.example:sr/7");
  EXPECT_EQ(url.user, "alice");
  EXPECT_EQ(url.portal, (PortalAddress{"san.example", 3261}));
  EXPECT_EQ(url.target.text(), "iqn.2026-11.example:sr");
  EXPECT_EQ(url.lun, 7);
}

TEST(LunUrl, HasNoUserAndPort3260ByDefault) {
  const LunUrl url = LunUrl::parse("ISCSI://10.0.0.1/iqn.2026-11.example:sr/0");
  EXPECT_EQ(url.user, std::nullopt);
  EXPECT_EQ(url.portal, (PortalAddress{"10.0.0.1", 3260}));
}

TEST(LunUrl, TextLeavesTheUserOut) {
  EXPECT_EQ(LunUrl::parse("iscsi://alice@[fd00::1]/iqn.2026-11.example:sr/16383").text(),
            "iscsi://[fd00::1]:3260/iqn.2026-11.example:sr/16383");
}

TEST(LunUrl, IsToldFromAPathByItsScheme) {
  EXPECT_TRUE(LunUrl::looks_like_one("iscsi://x"));
  EXPECT_TRUE(LunUrl::looks_like_one("iScSi:x"));
  EXPECT_FALSE(LunUrl::looks_like_one("iscsi"));
  EXPECT_FALSE(LunUrl::looks_like_one("./iscsi:x"));
}

TEST(LunUrl, RefusesWithTheFault) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {"iscsi:/host/iqn.2026-11.example:sr/1", "does not start with iscsi://"},
      {"iscsi://", "names no target"},
      {"iscsi://host", "names no target"},
      {"iscsi://host/iqn.2026-11.example:sr", "names no LUN"},
      {"iscsi:///iqn.2026-11.example:sr/1", "no host name"},
      {"iscsi://host/iqn.2026-11.example:sr/", "LUN is not a number"},
      {"iscsi://host/iqn.2026-11.example:sr/x", "LUN is not a number"},
      {"iscsi://host/iqn.2026-11.example:sr/+1", "LUN is not a number"},
      {"iscsi://host/iqn.2026-11.example:sr/-1", "LUN is not a number"},
      {"iscsi://host/iqn.2026-11.example:sr/1/", "LUN is not a number"},
      {"iscsi://host/iqn.2026-11.example:sr/16384", "LUN is not a number from 0 to 16383"},
      {"iscsi://host/iqn.2026-11.example:sr/99999999999", "LUN is not a number"},
      {"iscsi://host/notaniqn/1", "not an iSCSI name"},
      {"iscsi://host//1", "not an iSCSI name"},
      {"iscsi://host:0/iqn.2026-11.example:sr/1", "port is not a number from 1 to 65535"},
      {"iscsi://host:65536/iqn.2026-11.example:sr/1", "port is not a number"},
      {"iscsi://host:/iqn.2026-11.example:sr/1", "port is not a number"},
      {"iscsi://host:3x/iqn.2026-11.example:sr/1", "port is not a number"},
      {"iscsi://fd00::1/iqn.2026-11.example:sr/1", "stands in brackets"},
      {"iscsi://[fd00::1/iqn.2026-11.example:sr/1", "'[' without ']'"},
      {"iscsi://[fd00::g]/iqn.2026-11.example:sr/1", "not an IPv6 address"},
      {"iscsi://[fd00::1%]/iqn.2026-11.example:sr/1", "not an IPv6 address"},
      {"iscsi://[fd00::1]3260/iqn.2026-11.example:sr/1", "other than :port"},
      {"iscsi://ho st/iqn.2026-11.example:sr/1", "character that no host name has"},
      {"iscsi://@host/iqn.2026-11.example:sr/1", "empty user name"},
      {"iscsi://a b@host/iqn.2026-11.example:sr/1", "space or a control character"},
  };
  for (const auto& c : cases) EXPECT_THAT(fault_of(c.text), HasSubstr(c.fault)) << c.text;
}

TEST(LunUrl, TakesIpv6WithZoneAndPort) {
  const LunUrl url = LunUrl::parse("iscsi://[fe80::1%eth0]:860/iqn.2026-11.example:sr/1");
  EXPECT_EQ(url.portal, (PortalAddress{"fe80::1%eth0", 860}));
  EXPECT_EQ(url.portal.text(), "[fe80::1%eth0]:860");
}

TEST(LunUrl, RefusesASecretAndNeverRepeatsIt) {
  const char* texts[] = {
      "iscsi://alice:hunter2secret@host/iqn.2026-11.example:sr/1",
      "iscsi://alice%hunter2secret@host/iqn.2026-11.example:sr/1",
      "iscsi://alice%hunter2@secret@host/iqn.2026-11.example:sr/1",
      "iscsi://alice%hunter2/secret@host/iqn.2026-11.example:sr/1",
      "iscsi://host/iqn.2026-11.example:sr/1?target_password=hunter2secret",
      "iscsi://alice%hunter2?secret@host/iqn.2026-11.example:sr/1",
      "iscsi://host/iqn.2026-11.example:sr/1#hunter2secret",
  };
  for (const char* text : texts) {
    EXPECT_THAT(fault_of(text), HasSubstr("credentials file")) << text;
    EXPECT_THAT(fault_of(text), Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(fault_of(text), Not(HasSubstr("secret@"))) << text;
  }
}

TEST(LunUrl, NoErrorRepeatsAnyOfTheText) {
  const char* texts[] = {
      "iscsi://hunter2/x/y",          "iscsi://host/hunter2/1",
      "iscsi://host:hunter2/a/1",     "iscsi://[hunter2]/a/1",
      "iscsi://hunter2\x01@host/a/1", "iscsi://host/iqn.2026-11.example:sr/hunter2",
  };
  for (const char* text : texts) EXPECT_THAT(fault_of(text), Not(HasSubstr("hunter2"))) << text;
}

TEST(PortalAddress, TextAndParseAreInverse) {
  for (const char* text : {"host:3260", "10.1.2.3:860", "[fd00::1]:3260", "[::1]:1"}) {
    EXPECT_EQ(PortalAddress::parse(text).text(), text);
  }
}

TEST(PortalAddress, HostIsAtMost253BytesLong) {
  EXPECT_EQ(PortalAddress::parse(std::string(253, 'a')).host.size(), 253U);
  EXPECT_THROW(PortalAddress::parse(std::string(254, 'a')), Error);
}

}  // namespace
}  // namespace lunfs::iscsi
