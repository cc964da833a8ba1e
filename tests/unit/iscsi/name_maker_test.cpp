#include "iscsi/name_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr YearMonth kMay2001{std::chrono::year{2001}, std::chrono::month{5}};
const std::string kId = "0123456789abcdef0123456789abcdef";

Error error_of(const std::string& prefix) {
  try {
    make_name(prefix, 1);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "no error"};
}

TEST(NamePrefix, HasTheDomainReversed) {
  EXPECT_EQ(name_prefix(kMay2001, "storage.example.org"), "iqn.2001-05.org.example.storage");
  EXPECT_EQ(name_prefix(kMay2001, ""), "iqn.2001-05.com.example");
}

TEST(DomainOf, HostsOwnNameComesFirst) {
  EXPECT_EQ(domain_of({"Web1.Example.ORG", "10.0.0.1 web1.hosts.example web1\n",
                       "search resolv.example\n"}),
            "example.org");
}

TEST(DomainOf, FullNameInHostsComesNext) {
  const std::string hosts =
      "# web1.comment.example web1\n127.0.0.1 localhost\n127.0.1.1\tweb1.hosts.example web1\n";
  EXPECT_EQ(domain_of({"web1", hosts, "search resolv.example\n"}), "hosts.example");
  EXPECT_EQ(domain_of({"web2", hosts, "search resolv.example\n"}), "resolv.example");
}

TEST(DomainOf, LastLineOfResolvConfCountsAsForTheResolver) {
  EXPECT_EQ(domain_of({"web1", "", "search a.example b.example\nnameserver 10.0.0.1\n"}),
            "a.example");
  EXPECT_EQ(domain_of({"web1", "", "domain a.example\nsearch b.example\n"}), "b.example");
}

TEST(DomainOf, WhatNobodyOwnsOrNoNameCanHoldIsNoDomain) {
  EXPECT_EQ(domain_of({"web1.lan", "127.0.0.1 web1.localdomain web1\n", "search .\n"}), "");
  EXPECT_EQ(domain_of({"web1.under_score.example", "", ""}), "");
  EXPECT_EQ(domain_of({"web1.a..example", "", ""}), "");
  EXPECT_EQ(domain_of({"web1.a:b.example", "", ""}), "");
  EXPECT_EQ(domain_of({"web1." + std::string(200, 'x') + ".example", "", ""}), "");
  EXPECT_EQ(domain_of({"", "", ""}), "");
}

TEST(MakeName, EightHexDigitsFollowThePrefix) {
  EXPECT_EQ(make_name("iqn.2001-05.com.example", 0x2ca00).text(),
            "iqn.2001-05.com.example:0002ca00");
  EXPECT_EQ(make_name("iqn.2001-05.com.example:web", 1).text(),
            "iqn.2001-05.com.example:web:00000001");
}

TEST(MakeName, BadPrefixIsRefusedWithItsFault) {
  EXPECT_EQ(error_of("iqn.2001-05").kind(), ErrorKind::kUsage);
  EXPECT_THAT(error_of("iqn.2001-05").message(), HasSubstr("no domain"));
  EXPECT_THAT(error_of("iqn.2001-13.com.example").message(), HasSubstr("month 13"));
  EXPECT_THAT(error_of("eui.02004567a425678d").message(), HasSubstr("hex digits"));
  EXPECT_THAT(error_of("").message(), HasSubstr("starts with neither"));
  EXPECT_THAT(error_of("iqn.2001-05.com." + std::string(220, 'x')).message(), HasSubstr("223"));
}

TEST(FreshName, IsAnotherOneEachTimeInTheFormOfXenServer) {
  const std::string one = fresh_name(std::nullopt).text();
  EXPECT_THAT(one, MatchesRegex("iqn\\.[0-9]{4}-[0-9]{2}\\.[a-z0-9.-]+:[0-9a-f]{8}"));
  EXPECT_NE(fresh_name(std::nullopt).text(), one);
  EXPECT_THAT(fresh_name("iqn.2001-05.org.example").text(),
              MatchesRegex("iqn\\.2001-05\\.org\\.example:[0-9a-f]{8}"));
}

TEST(NameOfMachine, IsTheSameEveryTimeAndAnotherForEachMachine) {
  const std::string name = name_of_machine(kId + "\n", std::nullopt).text();
  // Spelt out: it must be the same in every version as well.
  EXPECT_EQ(name, name_of_machine(kId, std::nullopt).text());
  EXPECT_THAT(name, MatchesRegex("iqn\\.2026-11\\.com\\.example:[0-9a-f]{8}"));
  const std::string other = "1" + kId.substr(1);
  EXPECT_NE(name_of_machine(other, std::nullopt).text(), name);
}

TEST(NameOfMachine, TakesAPrefix) {
  EXPECT_THAT(name_of_machine(kId, "iqn.2001-05.org.example").text(),
              MatchesRegex("iqn\\.2001-05\\.org\\.example:[0-9a-f]{8}"));
}

TEST(NameOfMachine, MachineWithoutAnIdHasNone) {
  for (const char* text :
       {"", "\n", "uninitialized\n", "0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF"}) {
    try {
      name_of_machine(text, std::nullopt);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound) << text;
    }
  }
}

}  // namespace
}  // namespace lunfs::iscsi
