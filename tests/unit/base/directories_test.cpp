#include "base/directories.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lunfs {
namespace {

/// As the list of users has it.
std::string home_of(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry == nullptr ? std::string() : entry->pw_dir;
}

TEST(Directories, ConfigHomeIsXdgsThenBelowHome) {
  setenv("XDG_CONFIG_HOME", "/etc/xdg/own", 1);
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(config_home(), "/etc/xdg/own");
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(config_home(), "/home/u/.config");
}

TEST(Directories, HomeIsThatOfTheAccountWithoutHome) {
  unsetenv("HOME");
  EXPECT_EQ(home_directory(), home_of(geteuid()));
}

TEST(Directories, RootsHomeIsRootsOnly) {
  constexpr uid_t kNobody = 65534;
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  setenv("HOME", "/root", 1);
  EXPECT_EQ(home_directory(), "/root");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
    _exit(home_directory() == home_of(kNobody) ? 0 : 2);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Directories, RelativeOnesInTheEnvironmentAreIgnored) {
  setenv("XDG_CONFIG_HOME", "config", 1);
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(config_home(), "/home/u/.config");
  setenv("HOME", "home", 1);
  EXPECT_EQ(home_directory(), home_of(geteuid()));
}

}  // namespace
}  // namespace lunfs
