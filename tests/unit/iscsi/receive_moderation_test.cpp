#include "iscsi/receive_moderation.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace lunfs::iscsi {
namespace {

constexpr std::size_t kRead4k = 48 + 4096;
constexpr std::size_t kRead64k = 48 + 65536;

std::size_t wake_bytes(std::size_t commands, std::size_t answer_bytes) {
  return ReceiveModeration::wake_bytes({.commands = commands, .answer_bytes = answer_bytes});
}

TEST(ReceiveModeration, FewCommandsWaitForNothing) {
  EXPECT_EQ(wake_bytes(0, 0), 1U);
  EXPECT_EQ(wake_bytes(1, kRead4k), 1U);
  EXPECT_EQ(wake_bytes(7, 7 * kRead4k), 1U);
}

TEST(ReceiveModeration, ManyCommandsWaitForAQuarterToHalfOfTheirAnswers) {
  for (std::size_t commands = 8; commands < 60; ++commands) {
    for (const std::size_t answer : {std::size_t{48}, kRead4k}) {
      EXPECT_GT(wake_bytes(commands, commands * answer), commands * answer / 4);
      EXPECT_LE(wake_bytes(commands, commands * answer), commands * answer / 2);
    }
  }
}

TEST(ReceiveModeration, NoMoreThanTheMostIsWaitedFor) {
  EXPECT_EQ(wake_bytes(8, 8 * kRead64k), ReceiveModeration::kMaxWakeBytes);
  EXPECT_EQ(wake_bytes(64, 64 * kRead64k), ReceiveModeration::kMaxWakeBytes);
}

TEST(ReceiveModeration, AnswersThatAreLongOnAverageWaitForNothing) {
  EXPECT_EQ(wake_bytes(16, 16 * kRead64k + 1), 1U);
  EXPECT_EQ(wake_bytes(16, std::size_t{16} << 18U), 1U);
}

TEST(ReceiveModeration, SocketIsToldOnceOfEachChange) {
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const auto in_force = [&] {
    int value = 0;
    socklen_t size = sizeof(value);
    getsockopt(pair[0], SOL_SOCKET, SO_RCVLOWAT, &value, &size);
    return value;
  };
  ReceiveModeration moderation;
  EXPECT_TRUE(moderation.apply(pair[0], {.commands = 32, .answer_bytes = 32 * 48}));
  EXPECT_EQ(in_force(), 512);
  EXPECT_TRUE(moderation.apply(pair[0], {.commands = 31, .answer_bytes = 31 * 48}));
  EXPECT_FALSE(moderation.apply(pair[0], {.commands = 2, .answer_bytes = 2 * 48}));
  EXPECT_EQ(in_force(), 1);
  for (const int fd : pair) close(fd);
}

}  // namespace
}  // namespace lunfs::iscsi
