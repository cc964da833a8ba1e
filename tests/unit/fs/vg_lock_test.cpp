#include "fs/vg_lock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <vector>

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

/// The file of a lock that all users see.
std::string shared_file(const std::string& key) {
  return fmt::format("/run/lock/lunfs-{:016x}", XXH3_64bits(key.data(), key.size()));
}

TEST(VgLock, HoldsWhenItsFileIsTakenAway) {
  if (geteuid() != 0) GTEST_SKIP() << "a user's place for it may be missing";
  // What a user may do with a file of his, and whoever fills the disk so that there is none.
  const VgLock first(key() + " taken", "/mnt/first");
  ASSERT_EQ(unlink(shared_file(key() + " taken").c_str()), 0);
  EXPECT_THROW(VgLock(key() + " taken", "/mnt/second"), Error);
}

TEST(VgLock, FileWithASecondNameIsNotWritten) {
  const std::string path = shared_file(key() + " linked");
  const std::string other = path + ".other";
  std::ofstream(other) << "precious";
  if (link(other.c_str(), path.c_str()) != 0) GTEST_SKIP() << "no place for all users";
  EXPECT_THROW(VgLock(key() + " linked", "/mnt"), Error);
  std::string text;
  std::ifstream(other) >> text;
  EXPECT_EQ(text, "precious");
  unlink(path.c_str());
  unlink(other.c_str());
}

TEST(VgLock, WhatIsNoFileIsRefused) {
  const std::string path = shared_file(key() + " planted");
  using Plant = std::function<int()>;
  const std::vector<Plant> plants = {[&] { return mkdir(path.c_str(), 0700); },
                                     [&] { return symlink("/dev/null", path.c_str()); },
                                     [&] { return mkfifo(path.c_str(), 0600); }};
  for (const Plant& plant : plants) {
    if (plant() != 0) GTEST_SKIP() << "no place for all users";
    try {
      const VgLock lock(key() + " planted", "/mnt");
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kPermission);
    }
    std::filesystem::remove(path);
  }
}

TEST(VgLock, OtherVgIsAnotherLock) {
  const VgLock first(key(), "/mnt/first");
  EXPECT_NO_THROW(VgLock(key() + " other", "/mnt/second"));
}

}  // namespace
}  // namespace lunfs::fs
