#include "fs/shard_report.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

ShardReport report(std::uint64_t factor) {
  ShardReport one;
  one.session = std::to_string(factor);
  one.outages = factor;
  one.size_bytes = 4096 * factor;
  one.statistics.started();
  one.statistics.started();
  one.statistics.ended(Operation::kRead, 512 * factor, false, std::chrono::microseconds(10));
  one.bytes_in_flight = 7 * factor;
  one.parked = factor;
  one.cache = {.hits = factor, .misses = 2 * factor, .bytes = 3 * factor, .tables = 4 * factor};
  one.cache_limit_bytes = 100;
  return one;
}

TEST(ShardReport, CountsAddUp) {
  ShardReport sum = report(1);
  sum += report(10);
  EXPECT_EQ(sum.outages, 11U);
  EXPECT_EQ(sum.statistics.in_flight(), 2U);
  EXPECT_EQ(sum.statistics.of(Operation::kRead).ended, 2U);
  EXPECT_EQ(sum.statistics.of(Operation::kRead).bytes, 512U * 11);
  EXPECT_EQ(sum.bytes_in_flight, 77U);
  EXPECT_EQ(sum.parked, 11U);
  EXPECT_EQ(sum.cache.hits, 11U);
  EXPECT_EQ(sum.cache.misses, 22U);
  EXPECT_EQ(sum.cache.bytes, 33U);
  EXPECT_EQ(sum.cache.tables, 44U);
  EXPECT_EQ(sum.cache_limit_bytes, 200U);
}

TEST(ShardReport, SessionAndSizeStayTheFirstOnes) {
  ShardReport sum = report(1);
  sum += report(10);
  EXPECT_EQ(sum.session, "1");
  EXPECT_EQ(sum.size_bytes, 4096U);
}

TEST(ShardReport, AllAreUpOnlyIfEachIs) {
  ShardReport down;
  down.up = false;
  ShardReport sum;
  sum += ShardReport();
  EXPECT_TRUE(sum.up);
  sum += down;
  EXPECT_FALSE(sum.up);
  sum += ShardReport();
  EXPECT_FALSE(sum.up);
}

}  // namespace
}  // namespace lunfs::fs
