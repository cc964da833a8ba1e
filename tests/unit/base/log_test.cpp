#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "tests/support/temp_dir.h"

namespace lunfs {
namespace {

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { log::configure(log::Sink::kStderr, log::Level::kInfo); }

  std::string logged() {
    std::ifstream file(folder_.file("log"));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  testing::TempDir folder_;
};

TEST_F(LogTest, LevelDecidesWhatIsWritten) {
  log::configure(log::Sink::kFile, log::Level::kWarn, folder_.file("log"));
  log::error("one {}", 1);
  log::warn("two {}", 2);
  log::info("three {}", 3);
  log::debug("four {}", 4);
  EXPECT_NE(logged().find("error: one 1"), std::string::npos);
  EXPECT_NE(logged().find("two 2"), std::string::npos);
  EXPECT_EQ(logged().find("three"), std::string::npos);
  EXPECT_EQ(logged().find("four"), std::string::npos);
  EXPECT_TRUE(log::enabled(log::Level::kWarn));
  EXPECT_FALSE(log::enabled(log::Level::kInfo));
}

TEST_F(LogTest, FileIsNotForProgramsThatAreStarted) {
  log::configure(log::Sink::kFile, log::Level::kWarn, folder_.file("log"));
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the descriptor of this look itself
    if (std::filesystem::read_symlink(entry, gone) != folder_.file("log")) continue;
    ++found;
    EXPECT_NE(fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(found, 1);
}

TEST_F(LogTest, NameFromALunCannotForgeALine) {
  log::configure(log::Sink::kFile, log::Level::kInfo, folder_.file("log"));
  log::info("vdi={}", "a\nerror: forged\x1b[2J\x7f{}");
  const std::string text = logged();
  EXPECT_NE(text.find("vdi=a\\x0aerror: forged\\x1b[2J\\x7f{}"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(LogTest, FileThatCannotBeOpenedIsAnError) {
  EXPECT_THROW(log::configure(log::Sink::kFile, log::Level::kInfo, folder_.path().string()), Error);
}

}  // namespace
}  // namespace lunfs
