// Answers that the socket holds back while many commands are in flight.
#include <gtest/gtest.h>

#include <atomic>

#include "base/spawn.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeLun;
using testing::kAlways;
using testing::kRead;
using testing::kSilence;
using testing::refuse;
using Reply = testing::FakeTarget::Reply;

/// One of many answers comes, and no more for 2 s.
TEST(Lun, SingleAnswerAmongManyCommandsComesThroughAtOnce) {
  auto reads = std::make_shared<std::atomic<int>>(0);
  FakeLun fake({.login = {}, .handler = [reads](const Cdb& cdb) -> std::optional<Reply> {
                  const bool silent = cdb.bytes[0] == kRead && reads->fetch_add(1) != 3;
                  return silent ? std::optional(Reply{.say_nothing = true}) : std::nullopt;
                }});
  RequestContext context;
  std::vector<std::byte> bytes(16 * 1024);
  std::chrono::steady_clock::duration first_took{};
  const auto begun = std::chrono::steady_clock::now();
  int left = 16;
  bool done = false;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = i * 1024;
    spawn(fake.lun->read(context, at, std::span(bytes).subspan(at, 512)),
          [&](const std::exception_ptr& failure) {
            if (!failure) first_took = std::chrono::steady_clock::now() - begun;
            done = --left == 0;  // the silence has ended the session
          });
  }
  fake.initiator.reactor.run_until(done);
  EXPECT_GT(first_took.count(), 0) << "one read succeeded";
  EXPECT_LT(first_took, std::chrono::seconds(1));
}

TEST(Lun, AnswerToTheLogoutComesThroughWhileManyCommandsAreUnanswered) {
  FakeLun fake({.login = {}, .handler = refuse(kRead, kAlways, kSilence)});
  RequestContext context;
  std::vector<std::byte> bytes(16 * 1024);
  int left = 16;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = i * 1024;
    spawn(fake.lun->read(context, at, std::span(bytes).subspan(at, 512)),
          [&](const std::exception_ptr& /*the logout ends them*/) { --left; });
  }
  bool sent = false;
  const Reactor::Hook look =
      fake.initiator.reactor.at_turn_end([&] { sent = fake.target.count(kRead) == 16; });
  fake.initiator.reactor.run_until(sent);
  const auto begun = std::chrono::steady_clock::now();
  fake.initiator.run([&](RequestContext& c) { return fake.lun->logout(c); });
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace lunfs::iscsi
