// Opening a LUN: login, CHAP, what cannot be found, against the real tgtd.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <optional>

#include "iscsi/discovery.h"
#include "tests/unit/iscsi/one_lun.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using testing::kIqn;
using testing::kMiB;
using testing::kOther;
using testing::noise;
using ::testing::Not;
using testing::OneLun;

TEST(OpenLun, TellsWhatTheLunIs) {
  OneLun one;
  one.open();
  const LunIdentity& identity = one.lun->identity();
  EXPECT_EQ(identity.vendor, "IET");
  EXPECT_EQ(identity.product, "VIRTUAL-DISK");
  EXPECT_EQ(identity.serial, "beaf11");
  EXPECT_EQ(identity.designator, "3000000100000001");
  EXPECT_EQ(identity.size_bytes, 16 * kMiB);
  EXPECT_EQ(identity.block_size_bytes, 512U);
  EXPECT_EQ(one.lun->geometry().block_size_bytes, 1U);
  EXPECT_EQ(one.lun->portal_text(), one.server.portal().text());
}

TEST(OpenLun, LogsOutPolitely) {
  OneLun one;
  one.open();
  EXPECT_TRUE(one.lun->connected());
  one.initiator.run([&](RequestContext& c) { return one.lun->logout(c); });
  EXPECT_FALSE(one.lun->connected());
  one.server.admin({"--op", "delete", "--mode", "target", "--tid", "1"});  // no session is left
}

TEST(OpenLun, PortalMayBeIpv6) {
  if (access("/proc/net/if_inet6", F_OK) != 0) GTEST_SKIP() << "this host has no IPv6";
  OneLun one(16 * kMiB, 512, "::1");
  one.open();
  EXPECT_EQ(one.lun->portal_text().substr(0, 6), "[::1]:");
  EXPECT_EQ(one.read(0, 512), std::vector<std::byte>(512));
}

TEST(OpenLun, LunsAboveTheByteAreReached) {
  OneLun one;
  const std::string file = one.server.add_lun(1, 300, 2 * kMiB);
  one.options.url.lun = 300;
  one.open();
  EXPECT_EQ(one.lun->identity().size_bytes, 2 * kMiB);
  one.file = file;
  one.write(0, noise(512, 1));
  EXPECT_EQ(one.stored(0, 512), noise(512, 1));
}

TEST(Chap, OneWayLogin) {
  OneLun one;
  one.server.add_account("alice", "secret-of-alice");
  one.server.bind_account(1, "alice");
  one.options.chap = {"alice", "secret-of-alice", "", ""};
  one.open();
  EXPECT_EQ(one.read(0, 512), std::vector<std::byte>(512));
}

TEST(Chap, MutualLogin) {
  OneLun one;
  one.server.add_account("alice", "secret-of-alice");
  one.server.bind_account(1, "alice");
  one.server.add_account("target", "secret-of-target");
  one.server.bind_account(1, "target", true);
  one.options.chap = {"alice", "secret-of-alice", "target", "secret-of-target"};
  one.open();
  EXPECT_EQ(one.read(0, 512), std::vector<std::byte>(512));
}

TEST(Chap, FailuresNameUserDirectionAndInitiatorButNoSecret) {
  OneLun one;
  one.server.add_account("alice", "secret-of-alice");
  one.server.bind_account(1, "alice");
  one.server.add_account("target", "secret-of-target");
  one.server.bind_account(1, "target", true);
  const struct {
    Chap chap;
    const char* text;
  } cases[] = {
      {{"alice", "secret-wrong", "", ""}, "one-way CHAP as user alice"},
      {{"bob", "secret-of-alice", "", ""}, "one-way CHAP as user bob"},
      {{}, "without CHAP"},
      {{"alice", "secret-of-alice", "target", "secret-wrong"}, "mutual CHAP as user alice"},
      {{"alice", "secret-of-alice", "other", "secret-of-target"}, "mutual CHAP as user alice"},
  };
  for (const auto& c : cases) {
    one.options.chap = c.chap;
    one.options.credentials_source = "/etc/lunfs/credentials";
    const Error error = one.initiator.open_error(one.options);
    EXPECT_EQ(error.kind(), ErrorKind::kAuth) << three_part_text(error);
    const std::string text = three_part_text(error);
    EXPECT_THAT(text, HasSubstr(c.text));
    EXPECT_THAT(text, HasSubstr("iqn.2026-11.example:initiator"));
    EXPECT_THAT(text, HasSubstr("/etc/lunfs/credentials"));
    EXPECT_THAT(text, HasSubstr("likely cause"));
    EXPECT_THAT(text, Not(HasSubstr("secret-")));
  }
}

TEST(Chap, TargetThatHasNoMutualSecretDoesNotPass) {
  OneLun one;
  one.server.add_account("alice", "secret-of-alice");
  one.server.bind_account(1, "alice");
  one.options.chap = {"alice", "secret-of-alice", "target", "secret-of-target"};
  EXPECT_EQ(one.initiator.open_error(one.options).kind(), ErrorKind::kAuth);
}

TEST(Chap, MutualLoginToATargetWithoutChapDoesNotPass) {
  OneLun one;
  one.options.chap = {"alice", "secret-of-alice", "target", "secret-of-target"};
  const Error error = one.initiator.open_error(one.options);
  EXPECT_EQ(error.kind(), ErrorKind::kAuth) << error.message();
}

TEST(UnknownTarget, NamesThoseThatExist) {
  OneLun one;
  one.server.add_target(2, kOther);
  one.options.url.target = Iqn::parse("iqn.2026-11.example:missing");
  const Error error = one.initiator.open_error(one.options);
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound) << error.message();
  EXPECT_THAT(error.message(), HasSubstr(kIqn));
  EXPECT_THAT(error.message(), HasSubstr(kOther));
  EXPECT_THAT(error.cause(), HasSubstr("not allowed to see it"));
  EXPECT_THAT(error.remedy(), HasSubstr("iqn.2026-11.example:initiator"));
}

TEST(UnknownTarget, IsNamedByDiscoveryChapWhereAskedFor) {
  OneLun one;
  one.server.add_account("finder", "secret-of-finder");
  one.server.admin({"--op", "bind", "--mode", "account", "--user", "finder"});
  one.options.url.target = Iqn::parse("iqn.2026-11.example:missing");
  const Error refused = one.initiator.open_error(one.options);
  EXPECT_EQ(refused.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(refused.message(), HasSubstr("could not be listed"));
  one.options.discovery_chap = {"finder", "secret-of-finder", "", ""};
  EXPECT_THAT(one.initiator.open_error(one.options).message(), HasSubstr(kIqn));
}

TEST(UnknownLun, NamesThoseThatExist) {
  OneLun one;
  one.server.add_lun(1, 5, kMiB);
  for (const std::uint16_t number : {std::uint16_t{7}, std::uint16_t{0}}) {
    one.options.url.lun = number;
    const Error error = one.initiator.open_error(one.options);
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr(fmt::format("LUN {}", number)));
    EXPECT_THAT(error.message(), HasSubstr("LUNs that can be seen: 0, 1, 5"));
    EXPECT_THAT(three_part_text(error), HasSubstr("what to do"));
  }
}

TEST(UnknownLun, ControllerIsNotADisk) {
  OneLun one;
  one.options.url.lun = 0;  // tgtd's
  EXPECT_THAT(one.initiator.open_error(one.options).message(),
              HasSubstr("storage array controller, not a disk"));
}

TEST(OpenLun, OfflineLunIsBusyInTheEnd) {
  OneLun one;
  one.server.set_lun(1, 1, "online=0");
  one.options.retries = {.waits = 3, .first_pause = std::chrono::milliseconds(1)};
  const Error error = one.initiator.open_error(one.options);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy) << error.message();
  EXPECT_THAT(error.message(), HasSubstr("NOT READY 02/04/01"));
}

TEST(OpenLun, ReadOnlyLunIsReadOnly) {
  OneLun one;
  one.server.set_lun(1, 1, "readonly=1");
  one.open();
  EXPECT_TRUE(one.lun->geometry().read_only);
  EXPECT_THROW(one.write(0, noise(512, 1)), Error);
  EXPECT_EQ(one.read(0, 512), std::vector<std::byte>(512));
}

TEST(Discovery, ListsTargetsWithTheirPortals) {
  OneLun one;
  one.server.add_target(2, kOther);
  const LoginRequest request{
      one.server.portal(), {one.options.initiator_name, std::nullopt, {}}, ""};
  const auto targets = one.initiator.run([&](RequestContext& c) {
    return discover_targets(c, one.initiator.reactor, one.initiator.pool, request);
  });
  ASSERT_EQ(targets.size(), 2U);
  for (const DiscoveredTarget& target : targets) {
    EXPECT_TRUE(target.name == kIqn || target.name == kOther);
    ASSERT_EQ(target.portals.size(), 1U);
    EXPECT_EQ(target.portals[0], one.server.portal().text() + ",1");
  }
}

}  // namespace
}  // namespace lunfs::iscsi
