#include "base/lock_holder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/file_descriptor.h"
#include "tests/support/temp_dir.h"

namespace lunfs {
namespace {

class LockHolder : public ::testing::Test {
 protected:
  [[nodiscard]] FileDescriptor opened() const {
    return FileDescriptor(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  testing::TempDir dir_;
  std::string path_ = dir_.file("lock");
};

TEST_F(LockHolder, OfAFileThatNobodyHasLockedIsNone) {
  EXPECT_EQ(flock_holder(opened().get()), std::nullopt);
}

TEST_F(LockHolder, IsTheProcessThatHasLockedIt) {
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const FileDescriptor file = opened();
    if (flock(file.get(), LOCK_EX) == 0 && write(ready[1], "x", 1) == 1) pause();
    _exit(1);
  }
  char word = 0;
  ASSERT_EQ(read(ready[0], &word, 1), 1);
  EXPECT_EQ(flock_holder(opened().get()), child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(flock_holder(opened().get()), std::nullopt);
}

TEST_F(LockHolder, IsNotWhoSharesOrWaits) {
  const FileDescriptor reader = opened();
  ASSERT_EQ(flock(reader.get(), LOCK_SH), 0);
  EXPECT_EQ(flock_holder(reader.get()), std::nullopt);
}

TEST_F(LockHolder, OfAnotherFileIsAnother) {
  const FileDescriptor file = opened();
  ASSERT_EQ(flock(file.get(), LOCK_EX), 0);
  EXPECT_EQ(flock_holder(file.get()), getpid());
  const std::string other = dir_.file("other");
  const FileDescriptor second(open(other.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(flock_holder(second.get()), std::nullopt);
}

}  // namespace
}  // namespace lunfs
