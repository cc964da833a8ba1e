// Probing a target in this process, which also does what a target should not.
#include "tools/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tools/probe_report.h"
#include "tools/reach.h"

namespace lunfs::tools {
namespace {

using lunfs::testing::FakeTarget;
using ::testing::HasSubstr;
using ::testing::Not;
using LoginReply = FakeTarget::LoginReply;

constexpr const char* kInitiator = "iqn.2026-11.example:host7";
constexpr std::uint8_t kReportLuns = 0xa0;
constexpr std::uint8_t kRead16 = 0x88;

/// A list with the one LUN 1.
FakeTarget::Reply one_lun() {
  FakeTarget::Reply reply;
  reply.data.assign(16, std::byte{0});
  store_be<std::uint32_t>(reply.data, 0, 8);
  store_be<std::uint16_t>(reply.data, 8, 1);
  return reply;
}

/// `then` decides about every command but REPORT LUNS.
FakeTarget::Handler with_one_lun(FakeTarget::Handler then = nullptr) {
  return [then = std::move(then)](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
    if (cdb.bytes[0] == kReportLuns) return one_lun();
    return then ? then(cdb) : std::nullopt;
  };
}

LoginReply accepted(int round) {
  const bool security = round == 0;
  return {
      .current_stage = security ? 0U : 1U,
      .next_stage = security ? 1U : 3U,
      .keys = security ? std::vector<std::string>{"AuthMethod=None"} : std::vector<std::string>{},
      .raw = {}};
}

/// Lets discovery in; other logins get `reply`.
FakeTarget::LoginScript only_discovery(LoginReply reply) {
  auto discovering = std::make_shared<bool>(false);
  return [=](int round, const std::string& text) {
    if (round == 0) *discovering = text.find("SessionType=Discovery") != std::string::npos;
    return *discovering ? accepted(round) : reply;
  };
}

class Probing : public ::testing::Test {
 protected:
  Probing() { signal(SIGPIPE, SIG_IGN); }

  static ProbeOptions options_for(const FakeTarget& target) {
    ProbeOptions options;
    options.portal = target.portal();
    options.identity.initiator = kInitiator;
    options.timeout = std::chrono::seconds(10);
    return options;
  }
  static Json probe(const FakeTarget& target) { return probe_portal(options_for(target)).document; }
};

TEST_F(Probing, ALunOfZerosIsEmptyAndNothingIsWritten) {
  const FakeTarget target({.login = {}, .handler = with_one_lun()});
  const Json found = probe(target);
  ASSERT_EQ(found["targets"].size(), 1U);
  EXPECT_EQ(found["initiator"], kInitiator);
  const Json& first = found["targets"][0];
  EXPECT_EQ(first["state"], "ok");
  EXPECT_EQ(first["iqn"], "iqn.2026-11.example:fake");
  ASSERT_EQ(first["luns"].size(), 1U);
  EXPECT_EQ(first["luns"][0]["content"], "empty");
  EXPECT_EQ(first["luns"][0]["lun"], 1);
  EXPECT_EQ(first["luns"][0]["url"],
            "iscsi://" + target.portal().text() + "/iqn.2026-11.example:fake/1");
  for (const int write : {0x2a, 0x8a, 0x41, 0x93, 0x42, 0x35, 0x91, 0x89, 0x0a, 0x5f}) {
    EXPECT_EQ(target.count(static_cast<std::uint8_t>(write)), 0U) << write;
  }
}

TEST_F(Probing, ATargetThatRefusesIsListedWithTheNameToAllow) {
  const FakeTarget target({.login = only_discovery({.status = 0x0202, .keys = {}, .raw = {}}),
                           .handler = with_one_lun()});
  const ProbeResult result = probe_portal(options_for(target));
  const Json& first = result.document["targets"][0];
  EXPECT_EQ(first["state"], "refused");
  EXPECT_EQ(first["error"]["kind"], "auth");
  EXPECT_THAT(first["error"]["message"], HasSubstr("authorization failure (0x0202)"));
  EXPECT_EQ(first["error"]["remedy"],
            "allow initiator iqn.2026-11.example:host7 in the array's access list");
  ASSERT_TRUE(result.refusal);
  EXPECT_EQ(result.refusal->kind(), ErrorKind::kAuth);
}

TEST_F(Probing, ATargetThatSaysNothingCostsItsTimeAndIsListed) {
  const FakeTarget target(
      {.login = only_discovery({.keys = {}, .raw = {}, .say_nothing = true}), .handler = {}});
  ProbeOptions options = options_for(target);
  options.timeout = std::chrono::seconds(2);
  const auto started = std::chrono::steady_clock::now();
  const Json found = probe_portal(options).document;
  EXPECT_EQ(found["targets"][0]["state"], "unreachable");
  EXPECT_EQ(found["targets"][0]["error"]["kind"], "timed_out");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(6));
}

TEST_F(Probing, ALunThatHangsLeavesTheRestOfWhatWasFound) {
  const FakeTarget target(
      {.login = {}, .handler = with_one_lun([](const iscsi::Cdb& cdb) {
                      return cdb.bytes[0] == kRead16
                                 ? std::optional<FakeTarget::Reply>(
                                       {.sense = {}, .data = {}, .say_nothing = true})
                                 : std::nullopt;
                    })});
  ProbeOptions options = options_for(target);
  options.timeout = std::chrono::seconds(2);
  const auto started = std::chrono::steady_clock::now();
  const Json found = probe_portal(options).document;
  const Json& first = found["targets"][0];
  EXPECT_EQ(first["state"], "incomplete");
  EXPECT_EQ(first["luns"][0]["content"], "unreadable");
  EXPECT_EQ(first["luns"][0]["size_bytes"], 2U << 20U);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(8));
}

TEST_F(Probing, ALunThatCannotBeReadIsListedWithItsReason) {
  const FakeTarget target({.login = {}, .handler = with_one_lun([](const iscsi::Cdb& cdb) {
                                          std::optional<FakeTarget::Reply> reply;
                                          if (cdb.bytes[0] != kRead16) return reply;
                                          reply.emplace();
                                          reply->status = 2;
                                          reply->sense = FakeTarget::sense(3, 0x11, 0);
                                          return reply;
                                        })});
  const Json lun = probe(target)["targets"][0]["luns"][0];
  EXPECT_EQ(lun["content"], "unreadable");
  EXPECT_THAT(lun["error"]["message"], HasSubstr("MEDIUM ERROR"));
}

TEST_F(Probing, ANameThatIsNoneIsListedAndNotTried) {
  const FakeTarget target({.login = {},
                           .handler = with_one_lun(),
                           .discovery = {"TargetName=not a name", "TargetAddress=[::1:9,1"}});
  const Json first = probe(target)["targets"][0];
  EXPECT_EQ(first["iqn"], "not a name");
  EXPECT_EQ(first["state"], "refused");
}

TEST_F(Probing, OnlyTheTargetThatIsAskedForIsLookedAt) {
  const FakeTarget target(
      {.login = {},
       .handler = with_one_lun(),
       .discovery = {"TargetName=iqn.2026-11.example:a", "TargetName=iqn.2026-11.example:b"}});
  ProbeOptions options = options_for(target);
  options.target = "iqn.2026-11.example:b";
  const Json found = probe_portal(options).document;
  ASSERT_EQ(found["targets"].size(), 1U);
  EXPECT_EQ(found["targets"][0]["iqn"], "iqn.2026-11.example:b");
}

TEST_F(Probing, TheTargetThatIsAskedForMayBeWrittenInAnyCase) {
  const FakeTarget target(
      {.login = {},
       .handler = with_one_lun(),
       .discovery = {"TargetName=iqn.2026-11.example:Pool", "TargetName=iqn.2026-11.example:b"}});
  ProbeOptions options = options_for(target);
  options.target = "iqn.2026-11.example:pool";
  const Json found = probe_portal(options).document;
  ASSERT_EQ(found["targets"].size(), 1U);
  EXPECT_EQ(found["targets"][0]["iqn"], "iqn.2026-11.example:Pool");
}

TEST_F(Probing, ADiscoveryNeedsNoLoginToTargets) {
  const FakeTarget target({.login = {}, .handler = with_one_lun()});
  ProbeOptions options = options_for(target);
  options.discover_only = true;
  const Json found = probe_portal(options).document;
  EXPECT_EQ(found["targets"][0]["iqn"], "iqn.2026-11.example:fake");
  EXPECT_FALSE(found["targets"][0].contains("state"));
  EXPECT_EQ(target.count(kReportLuns), 0U);
}

TEST_F(Probing, ARefusedDiscoveryIsAnError) {
  const FakeTarget target({.login = [](int, const std::string&) -> LoginReply {
                             return {.status = 0x0201, .keys = {}, .raw = {}};
                           },
                           .handler = {}});
  try {
    probe(target);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kAuth);
    EXPECT_THAT(error.message(), HasSubstr("discovery at " + target.portal().text()));
    EXPECT_THAT(error.remedy(), HasSubstr("discovery_username"));
  }
}

TEST_F(Probing, ALunIsFoundByItsScsiId) {
  const FakeTarget target({.login = {}, .handler = with_one_lun()});
  ProbeOptions options = options_for(target);
  options.scsi_id = "3600";
  const Json found = probe_portal(options).document;
  EXPECT_TRUE(found["targets"][0]["luns"].empty());
}

TEST_F(Probing, OddAnswersToADiscoveryDoNoHarm) {
  const std::vector<std::vector<std::string>> answers = {
      {},
      {""},
      {"TargetName="},
      {"TargetName"},
      {"TargetAddress=192.0.2.7:3260,1"},
      {"TargetName=iqn.2026-11.example:a", "TargetAddress=", "TargetAddress=,", "X=y"},
      {"TargetName=" + std::string(60'000, 'a')},
      {"TargetName=iqn.2026-11.example:\x1b[31mred\x07", "TargetAddress=\x1b[31m:1,1"},
      {"TargetName=iqn.2026-11.example:\xff\xfe"},
  };
  for (const auto& answer : answers) {
    SCOPED_TRACE(answer.empty() ? "" : answer[0].substr(0, 40));
    const FakeTarget target({.login = {}, .handler = with_one_lun(), .discovery = answer});
    ProbeOptions options = options_for(target);
    options.timeout = std::chrono::seconds(5);
    try {
      Json found = probe_portal(options).document;
      add_mount_lines(found, {});
      EXPECT_THAT(probe_text(found) + targets_xml(found) + luns_xml(found) + json_text(found),
                  Not(HasSubstr("\x1b")));
      EXPECT_TRUE(Json::accept(json_text(found)));
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.message();
    }
  }
}

TEST_F(Probing, AThousandTargetsAreEnough) {
  std::vector<std::string> names;
  for (int i = 0; i < 1500; ++i) {
    names.push_back("TargetName=iqn.2026-11.example:t" + std::to_string(i));
  }
  const FakeTarget target({.login = {}, .handler = with_one_lun(), .discovery = names});
  ProbeOptions options = options_for(target);
  options.discover_only = true;
  const Json found = probe_portal(options).document;
  EXPECT_EQ(found["targets"].size(), 1000U);
  EXPECT_EQ(found["targets"][0]["iqn"], "iqn.2026-11.example:t1499");
}

TEST_F(Probing, GarbageInThePaddingOfTextsDoesNoHarm) {
  const FakeTarget target({.login = {},
                           .handler = with_one_lun(),
                           .discovery = {"TargetName=iqn.2026-11.example:of-33-bytes"},
                           .padding = std::byte{'7'}});
  const Json found = probe(target);
  EXPECT_EQ(found["targets"][0]["iqn"], "iqn.2026-11.example:of-33-bytes");
  EXPECT_EQ(found["targets"][0]["state"], "ok");
}

}  // namespace
}  // namespace lunfs::tools
