#include "base/log_rate.h"

#include <gtest/gtest.h>

namespace lunfs::log {
namespace {

constexpr Rate::Clock::time_point kStart{std::chrono::hours{1}};

TEST(LogRate, SaysTheFirstOnesAndCountsTheRest) {
  Rate rate;
  for (unsigned i = 0; i < Rate::kMost; ++i) EXPECT_TRUE(rate.next(kStart).say);
  for (unsigned i = 0; i < 5; ++i) EXPECT_FALSE(rate.next(kStart).say);
  const Rate::Verdict later = rate.next(kStart + Rate::kSpan);
  EXPECT_TRUE(later.say);
  EXPECT_EQ(later.unsaid, 5U);
  EXPECT_EQ(rate.next(kStart + Rate::kSpan).unsaid, 0U);
}

TEST(LogRate, WhatIsRareIsAlwaysSaid) {
  Rate rate;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(rate.next(kStart + i * Rate::kSpan).say);
}

}  // namespace
}  // namespace lunfs::log
