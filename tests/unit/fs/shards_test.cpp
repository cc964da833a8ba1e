// The threads of a mount.
#include "fs/shards.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>

namespace lunfs::fs {
namespace {

/// The first of two shards, on the test's thread; not turned for longer than a failure takes.
class ShardsTest : public ::testing::Test {
 protected:
  [[noreturn]] static void fail() { throw std::runtime_error("no memory"); }

  Reactor reactor_;
  Shard first_{reactor_, 0};
  Reactor::Timer limit_ =
      reactor_.at(Reactor::Clock::now() + std::chrono::seconds(20), [this] { reactor_.stop(); });
};

TEST_F(ShardsTest, ExceptionOnAFurtherThreadEndsTheFirstOne) {
  const Shards shards(first_, 2, nullptr);
  shards.at(1).reactor.post(fail);
  EXPECT_THROW(reactor_.run(), std::runtime_error);
}

TEST_F(ShardsTest, FurtherThreadThatCannotBeginEndsTheFirstOne) {
  const Shards shards(first_, 2, fail);
  EXPECT_THROW(reactor_.run(), std::runtime_error);
}

}  // namespace
}  // namespace lunfs::fs
