#include "fs/statistics.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

TEST(Statistics, FailedRequestsMoveNoBytes) {
  Statistics statistics;
  statistics.started();
  statistics.ended(Operation::kRead, 4096, true, std::chrono::microseconds{10});
  EXPECT_EQ(statistics.of(Operation::kRead).bytes, 0U);
  EXPECT_EQ(statistics.of(Operation::kRead).failed, 1U);
  EXPECT_EQ(statistics.in_flight(), 0U);
}

TEST(Statistics, LatencyFallsIntoTheFirstBucketThatHoldsIt) {
  Statistics statistics;
  const auto bound = OperationCounters::kBounds[2];
  statistics.started();
  statistics.ended(Operation::kWrite, 1, false, bound);
  statistics.started();
  statistics.ended(Operation::kWrite, 1, false, bound + std::chrono::microseconds{1});
  statistics.started();
  statistics.ended(Operation::kWrite, 1, false, std::chrono::hours{1});
  const auto& buckets = statistics.of(Operation::kWrite).by_latency;
  EXPECT_EQ(buckets[2], 1U);
  EXPECT_EQ(buckets[3], 1U);
  EXPECT_EQ(buckets.back(), 1U);
}

}  // namespace
}  // namespace lunfs::fs
