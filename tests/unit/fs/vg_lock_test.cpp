#include "fs/vg_lock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/error.h"

namespace lunfs::fs {
namespace {

constexpr uid_t kNobody = 65534;

std::string key() { return "test " + std::to_string(getpid()); }

TEST(VgLock, SecondHolderIsRefusedAndTheFirstNamed) {
  const VgLock first(key(), "/mnt/first");
  try {
    const VgLock second(key(), "/mnt/second");
    FAIL() << "two holders";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBusy);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("/mnt/first"));
    EXPECT_THAT(error.message(), ::testing::HasSubstr(std::to_string(getpid())));
  }
}

TEST(VgLock, EndedHolderLeavesTheLock) {
  { const VgLock first(key(), "/mnt/first"); }
  EXPECT_NO_THROW(VgLock(key(), "/mnt/second"));
}

TEST(VgLock, OfAnotherUserHoldsToo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  // Nobody has made the file before.
  const std::string name = key() + " of a user";
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
    try {
      const VgLock lock(name, "/mnt/nobodys");
      if (write(ready[1], "x", 1) == 1) pause();
    } catch (const Error&) {
    }
    _exit(1);
  }
  char word = 0;
  ASSERT_EQ(read(ready[0], &word, 1), 1);
  try {
    const VgLock second(name, "/mnt/second");
    ADD_FAILURE() << "two holders";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBusy);
    EXPECT_THAT(error.message(),
                ::testing::HasSubstr(fmt::format("pid {} on /mnt/nobodys", child)));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  // The file is that user's; its text is of a mount that has ended.
  const VgLock lock(name, "/mnt/roots");
  try {
    const VgLock second(name, "/mnt/second");
    ADD_FAILURE() << "two holders";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), ::testing::HasSubstr(fmt::format("pid {}", getpid())));
  }
}

TEST(VgLock, OtherVgIsAnotherLock) {
  const VgLock first(key(), "/mnt/first");
  EXPECT_NO_THROW(VgLock(key() + " other", "/mnt/second"));
}

}  // namespace
}  // namespace lunfs::fs
