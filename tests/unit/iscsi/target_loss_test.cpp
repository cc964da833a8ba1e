// The loss of a session, against the real tgtd.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <optional>

#include "tests/unit/iscsi/one_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::all_of;
using testing::kMiB;
using testing::noise;
using testing::OneLun;

// Whole blocks, so that each write is one command and not a read of its edges first; and apart from
// each other, so that no two become one command.
constexpr std::uint64_t kStride = 300 * 1024;
constexpr std::size_t kWriteBytes = 200 * 1024;
constexpr std::size_t kReadBytes = 256 * 1024;

/// Writes round and round until the device fails; the buffer is given back right then.
Task<void> write_until_it_fails(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                                Resend resend, std::vector<ErrorKind>& ends) {
  auto data = std::make_unique<std::vector<std::byte>>(noise(kWriteBytes, 1));
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
  auto data = std::make_unique<std::vector<std::byte>>(kReadBytes);
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
    const std::uint64_t offset = (i % 50) * kStride;
    tasks.push_back(write_until_it_fails(*one.lun, context, offset, resend, ends));
    tasks.push_back(read_until_it_fails(*one.lun, context, offset, ends));
  }
  const auto timer =
      one.initiator.reactor.at(Reactor::Clock::now() + std::chrono::milliseconds(200), strike);
  run_until_done(one.initiator.reactor, all_of(std::move(tasks)));
  EXPECT_FALSE(one.lun->connected());
  return ends;
}

TEST(SessionLoss, KilledTargetEndsEverythingAtTheOutageLimit) {
  OneLun one;
  one.options.outage_limit = std::chrono::seconds(2);
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
  one.options.outage_limit = std::chrono::seconds(2);
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
  one.options.outage_limit = std::chrono::seconds(2);
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

TEST(SessionLoss, ClosedConnectionIsReplaced) {
  OneLun one;
  one.open();
  one.server.admin({"--op", "delete", "--mode", "conn", "--tid", "1", "--sid", "1", "--cid", "0"});
  EXPECT_EQ(one.read(0, 512), std::vector<std::byte>(512));
  EXPECT_TRUE(one.lun->connected());
  EXPECT_EQ(one.lun->state().outages, 1U);
}

}  // namespace
}  // namespace lunfs::iscsi
