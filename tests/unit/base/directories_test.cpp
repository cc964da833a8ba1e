#include "base/directories.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace lunfs {
namespace {

TEST(Directories, ConfigHomeIsXdgsThenBelowHome) {
  setenv("XDG_CONFIG_HOME", "/etc/xdg/own", 1);
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(config_home(), "/etc/xdg/own");
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(config_home(), "/home/u/.config");
  unsetenv("HOME");
  EXPECT_EQ(config_home(), std::nullopt);
}

TEST(Directories, RelativeOnesInTheEnvironmentAreIgnored) {
  setenv("XDG_CONFIG_HOME", "config", 1);
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(config_home(), "/home/u/.config");
  setenv("HOME", "", 1);
  EXPECT_EQ(config_home(), std::nullopt);
}

}  // namespace
}  // namespace lunfs
