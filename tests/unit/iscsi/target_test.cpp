// Against the real tgtd.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/spawn.h"
#include "iscsi/discovery.h"
#include "tests/unit/iscsi/opened.h"
#include "tests/unit/iscsi/tgt_server.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using testing::Initiator;
using testing::noise;
using ::testing::Not;
using testing::options_for;
using testing::TgtServer;

constexpr const char* kIqn = "iqn.2026-11.example:t1";
constexpr const char* kOther = "iqn.2026-11.example:t2";
constexpr std::uint64_t kMiB = 1 << 20;

/// A target with one LUN of number 1.
struct OneLun {
  explicit OneLun(std::uint64_t size = 16 * kMiB, std::uint32_t block = 512,
                  const std::string& host = "127.0.0.1")
      : server(host) {
    server.add_target(1, kIqn);
    file = server.add_lun(1, 1, size, block);
    options = options_for(server.portal(), kIqn, 1);
  }

  void open() { lun = initiator.open(options); }
  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size);
    initiator.run([&](RequestContext& c) { return lun->read(c, offset, bytes); });
    return bytes;
  }
  void write(std::uint64_t offset, ConstIoSpan bytes) {
    initiator.run([&](RequestContext& c) { return lun->write(c, offset, bytes); });
  }
  void flush() {
    initiator.run([&](RequestContext& c) { return lun->flush(c); });
  }
  /// Bytes as the file behind the LUN has them.
  [[nodiscard]] std::vector<std::byte> stored(std::uint64_t offset, std::size_t size) const {
    std::vector<std::byte> bytes(size);
    const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(pread(fd.get(), bytes.data(), size, static_cast<off_t>(offset)),
              static_cast<ssize_t>(size));
    return bytes;
  }
  [[nodiscard]] std::uint64_t stored_bytes() const {
    struct stat status {};
    EXPECT_EQ(stat(file.c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }

  TgtServer server;
  Initiator initiator;
  std::string file;
  LunOptions options{options_for({"127.0.0.1", 1}, kIqn, 1)};
  std::unique_ptr<LunDevice> lun;
};

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

class BlockSizes : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(BlockSizes, RequestsOfAnyPlaceAndLength) {
  OneLun one(8 * kMiB, GetParam());
  one.open();
  EXPECT_EQ(one.lun->identity().block_size_bytes, GetParam());
  const struct {
    std::uint64_t offset;
    std::size_t size;
  } cases[] = {
      {0, 1},
      {0, 512},
      {0, 4096},
      {511, 2},
      {4095, 2},
      {4097, 4094},
      {12345, 54321},
      {0, kMiB},
      {kMiB - 1, kMiB + 2},
      {512, 2 * kMiB},
      {3 * kMiB + 4096, 3 * kMiB},
      {8 * kMiB - 1, 1},
      {8 * kMiB - 4097, 4097},
  };
  std::vector<std::byte> expected(8 * kMiB);
  std::uint32_t seed = 0;
  for (const auto& c : cases) {
    const auto data = noise(c.size, ++seed);
    one.write(c.offset, data);
    std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(c.offset));
    EXPECT_EQ(one.read(c.offset, c.size), data) << c.offset << "+" << c.size;
  }
  EXPECT_EQ(one.read(0, expected.size()), expected);
  one.flush();
  EXPECT_EQ(one.stored(0, expected.size()), expected);
  EXPECT_THROW(one.read(8 * kMiB, 1), Error);
}

TEST_P(BlockSizes, ZeroesAndUnmap) {
  OneLun one(8 * kMiB, GetParam());
  one.server.set_lun(1, 1, "thin_provisioning=1");
  one.open();
  EXPECT_TRUE(one.lun->geometry().can_unmap);
  const auto data = noise(8 * kMiB, 1);
  one.write(0, data);
  one.flush();
  EXPECT_GE(one.stored_bytes(), 8 * kMiB);
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 1000, 3 * kMiB, true); });
  auto expected = data;
  std::fill_n(expected.begin() + 1000, 3 * kMiB, std::byte{0});
  EXPECT_EQ(one.read(0, expected.size()), expected);
  EXPECT_LT(one.stored_bytes(), 6 * kMiB);  // given back
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 4 * kMiB, kMiB, false); });
  std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(4 * kMiB), kMiB, std::byte{0});
  EXPECT_EQ(one.read(0, expected.size()), expected);
  one.initiator.run([&](RequestContext& c) { return one.lun->unmap(c, 6 * kMiB, kMiB); });
  EXPECT_EQ(one.read(0, 6 * kMiB),
            std::vector<std::byte>(expected.begin(),
                                   expected.begin() + static_cast<std::ptrdiff_t>(6 * kMiB)));
}

TEST_P(BlockSizes, HolesAreNeverData) {
  OneLun one(8 * kMiB, GetParam());
  one.server.set_lun(1, 1, "thin_provisioning=1");
  one.open();
  one.write(2 * kMiB, noise(kMiB, 1));
  one.flush();
  const auto extents = one.initiator.run(
      [&](RequestContext& c) { return one.lun->allocated(c, 100, 8 * kMiB - 200); });
  std::uint64_t at = 100;
  for (const Extent& extent : extents) {
    EXPECT_EQ(extent.offset, at);
    at += extent.length;
    if (!extent.hole) continue;
    EXPECT_EQ(one.read(extent.offset, extent.length), std::vector<std::byte>(extent.length));
    EXPECT_TRUE(extent.offset + extent.length <= 2 * kMiB || extent.offset >= 3 * kMiB);
  }
  EXPECT_EQ(at, 8 * kMiB - 100);
}

INSTANTIATE_TEST_SUITE_P(Lun, BlockSizes, ::testing::Values(512U, 4096U));

TEST(FullLun, ZeroesAreWrittenWithoutThinProvisioning) {
  OneLun one;
  one.open();
  EXPECT_FALSE(one.lun->geometry().can_unmap);
  one.write(0, noise(16 * kMiB, 1));
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 0, 16 * kMiB, true); });
  EXPECT_EQ(one.read(0, 16 * kMiB), std::vector<std::byte>(16 * kMiB));
  const auto extents =
      one.initiator.run([&](RequestContext& c) { return one.lun->allocated(c, 0, 16 * kMiB); });
  EXPECT_EQ(extents, (std::vector<Extent>{{.offset = 0, .length = 16 * kMiB, .hole = false}}));
}

Task<void> write_then_read(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                           std::uint32_t seed, int& good) {
  const auto data = noise(6000, seed);
  co_await lun.write(context, offset, data);
  std::vector<std::byte> back(data.size());
  co_await lun.read(context, offset, back);
  if (back == data) ++good;
}

Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

TEST(Lun, ThousandRequestsAtOnce) {
  OneLun one;
  one.open();
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  int good = 0;
  std::vector<Task<void>> tasks;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tasks.push_back(write_then_read(*one.lun, context, std::uint64_t{i} * 6000, i + 1, good));
  }
  run_until_done(one.initiator.reactor, all_of(std::move(tasks)));
  EXPECT_EQ(good, 1000);
  const SessionStats stats = one.lun->stats();
  EXPECT_GE(stats.commands, 2000U);
  EXPECT_GE(stats.bytes_written, 6'000'000U);
  EXPECT_GE(stats.bytes_read, 6'000'000U);
}

/// Writes round and round until the device fails; the buffer is given back right then.
Task<void> write_until_it_fails(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                                Resend resend, std::vector<ErrorKind>& ends) {
  auto data = std::make_unique<std::vector<std::byte>>(noise(200'000, 1));
  std::optional<ErrorKind> end;
  while (!end) {
    try {
      co_await lun.write(context, offset, *data, {.resend = resend});
    } catch (const Error& error) {
      end = error.kind();
    }
  }
  data.reset();
  ends.push_back(*end);
}

Task<void> read_until_it_fails(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                               std::vector<ErrorKind>& ends) {
  auto data = std::make_unique<std::vector<std::byte>>(300'000);
  std::optional<ErrorKind> end;
  while (!end) {
    try {
      co_await lun.read(context, offset, *data);
    } catch (const Error& error) {
      end = error.kind();
    }
  }
  data.reset();
  ends.push_back(*end);
}

/// Loads the LUN with more commands than fit in flight, calls `strike` after 200 ms, and waits for
/// the end of all of them.
std::vector<ErrorKind> ends_of_load(OneLun& one, Resend resend,
                                    const std::function<void()>& strike) {
  RequestContext context;
  std::vector<ErrorKind> ends;
  std::vector<Task<void>> tasks;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t offset = (i % 50) * 300'000;
    tasks.push_back(write_until_it_fails(*one.lun, context, offset, resend, ends));
    tasks.push_back(read_until_it_fails(*one.lun, context, offset, ends));
  }
  const auto timer =
      one.initiator.reactor.at(Reactor::Clock::now() + std::chrono::milliseconds(200), strike);
  run_until_done(one.initiator.reactor, all_of(std::move(tasks)));
  EXPECT_FALSE(one.lun->connected());
  return ends;
}

TEST(SessionLoss, KilledTargetEndsEverythingAtOnce) {
  OneLun one;
  one.open();
  const auto before = std::chrono::steady_clock::now();
  const auto ends = ends_of_load(one, Resend::kAllowed, [&] { one.server.kill_now(); });
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(ends, std::vector<ErrorKind>(200, ErrorKind::kUnreachable));
  EXPECT_THROW(one.flush(), Error);
  one.initiator.run([&](RequestContext& c) { return one.lun->logout(c); });
}

TEST(SessionLoss, WritesThatNeverGoTwiceEndUnknown) {
  OneLun one;
  one.open();
  const auto ends = ends_of_load(one, Resend::kNever, [&] { one.server.kill_now(); });
  EXPECT_EQ(ends.size(), 200U);
  EXPECT_GT(std::count(ends.begin(), ends.end(), ErrorKind::kOutcomeUnknown), 0);
  for (const ErrorKind end : ends) {
    EXPECT_TRUE(end == ErrorKind::kOutcomeUnknown || end == ErrorKind::kUnreachable);
  }
}

TEST(SessionLoss, StoppedTargetIsGivenUpAfterTheCommandTimeout) {
  OneLun one;
  one.options.command_timeout = std::chrono::seconds(2);
  one.open();
  const auto before = std::chrono::steady_clock::now();
  const auto ends = ends_of_load(one, Resend::kAllowed, [&] { one.server.send_signal(SIGSTOP); });
  const auto took = std::chrono::steady_clock::now() - before;
  one.server.send_signal(SIGCONT);
  EXPECT_EQ(ends, std::vector<ErrorKind>(200, ErrorKind::kUnreachable));
  EXPECT_GT(took, std::chrono::seconds(2));
  EXPECT_LT(took, std::chrono::seconds(8));
}

TEST(SessionLoss, ShortStopIsOutlived) {
  OneLun one;
  one.open();
  one.server.send_signal(SIGSTOP);
  const auto timer =
      one.initiator.reactor.at(Reactor::Clock::now() + std::chrono::milliseconds(1500),
                               [&] { one.server.send_signal(SIGCONT); });
  one.write(0, noise(kMiB, 1));
  EXPECT_EQ(one.read(0, kMiB), noise(kMiB, 1));
}

TEST(SessionLoss, IdleSessionNoticesTheTargetsEnd) {
  OneLun one;
  one.open();
  one.server.kill_now();
  RequestContext context = RequestContext::within(std::chrono::seconds(3));
  run_until_done(one.initiator.reactor,
                 one.initiator.reactor.sleep_until(
                     context, Reactor::Clock::now() + std::chrono::milliseconds(300)));
  EXPECT_FALSE(one.lun->connected());
}

TEST(SessionLoss, LogoutFromAStoppedTargetEndsAtItsDeadline) {
  OneLun one;
  one.open();
  one.server.send_signal(SIGSTOP);
  const auto before = std::chrono::steady_clock::now();
  RequestContext context = RequestContext::within(std::chrono::seconds(1));
  run_until_done(one.initiator.reactor, one.lun->logout(context));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
  EXPECT_FALSE(one.lun->connected());
  one.server.send_signal(SIGCONT);
}

TEST(SessionLoss, ClosedConnectionEndsTheSession) {
  OneLun one;
  one.open();
  one.server.admin({"--op", "delete", "--mode", "conn", "--tid", "1", "--sid", "1", "--cid", "0"});
  EXPECT_THROW(one.read(0, 512), Error);
  EXPECT_FALSE(one.lun->connected());
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
