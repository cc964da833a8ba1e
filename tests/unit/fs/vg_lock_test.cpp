#include "fs/vg_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "base/error.h"

namespace lunfs::fs {
namespace {

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

TEST(VgLock, OtherVgIsAnotherLock) {
  const VgLock first(key(), "/mnt/first");
  EXPECT_NO_THROW(VgLock(key() + " other", "/mnt/second"));
}

}  // namespace
}  // namespace lunfs::fs
