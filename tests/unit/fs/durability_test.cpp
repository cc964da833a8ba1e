#include "fs/durability.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"

namespace lunfs::fs {
namespace {

class DurabilityTest : public ::testing::Test {
 protected:
  void flush() { run_until_done(reactor_, durability_.flush(context_)); }

  Reactor reactor_;
  RequestContext context_;
  lunfs::testing::MemoryDevice memory_{4096};
  lunfs::testing::FaultDevice faulty_{reactor_, memory_};
  Durability durability_{faulty_};
};

TEST_F(DurabilityTest, NothingWrittenSendsNoFlush) {
  flush();
  EXPECT_EQ(memory_.counts().flushes, 0U);
}

TEST_F(DurabilityTest, AfterAWriteExactlyOneFlushIsSent) {
  durability_.wrote();
  flush();
  flush();
  EXPECT_EQ(memory_.counts().flushes, 1U);
  EXPECT_TRUE(durability_.clean());
}

TEST_F(DurabilityTest, FailedFlushLeavesTheWritesUnsaved) {
  durability_.wrote();
  faulty_.fail_nth(1, Error(ErrorKind::kIo, "flush failed"));
  EXPECT_THROW(flush(), Error);
  EXPECT_FALSE(durability_.clean());
  flush();
  EXPECT_TRUE(durability_.clean());
}

TEST_F(DurabilityTest, WriteDuringAFlushIsNotCoveredByIt) {
  durability_.wrote();
  faulty_.hold_matching([](const auto&) { return true; });
  bool flushed = false;
  spawn(durability_.flush(context_), [&](const std::exception_ptr&) { flushed = true; });
  durability_.wrote();
  faulty_.release();
  RequestContext context;
  run_until_done(reactor_, reactor_.sleep_until(context, Reactor::Clock::now()));
  ASSERT_TRUE(flushed);
  EXPECT_FALSE(durability_.clean());
}

TEST_F(DurabilityTest, WhatIsAtStakeIsNamed) {
  EXPECT_EQ(durability_.at_stake(), "");
  durability_.wrote("b.raw", 512);
  durability_.wrote("a.raw", 4096);
  durability_.wrote("b.raw", 512);
  EXPECT_EQ(durability_.at_stake(), "4096 bytes of a.raw, 1024 bytes of b.raw");
  flush();
  EXPECT_EQ(durability_.at_stake(), "");
  durability_.wrote("b.raw", 7);
  faulty_.fail_nth(1, Error(ErrorKind::kIo, "flush failed"));
  EXPECT_THROW(flush(), Error);
  EXPECT_EQ(durability_.at_stake(), "7 bytes of b.raw");
}

TEST_F(DurabilityTest, ManyFilesAtStakeAreCounted) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back(std::string(1, static_cast<char>('a' + i)));
  for (const std::string& name : names) durability_.wrote(name, 1);
  EXPECT_TRUE(durability_.at_stake().ends_with("1 bytes of j and of 2 more files"));
}

}  // namespace
}  // namespace lunfs::fs
