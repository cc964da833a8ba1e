#include "fs/up_sessions.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

TEST(UpSessions, AllTakeRequestsAtFirst) {
  const UpSessions up(2);
  EXPECT_TRUE(up.takes_requests(0));
  EXPECT_TRUE(up.takes_requests(1));
}

TEST(UpSessions, WhoIsAwayLeavesRequestsToTheOthers) {
  UpSessions up(2);
  EXPECT_TRUE(up.set(0, false));
  EXPECT_FALSE(up.takes_requests(0));
  EXPECT_TRUE(up.takes_requests(1));
  EXPECT_TRUE(up.set(0, true));
  EXPECT_TRUE(up.takes_requests(0));
}

TEST(UpSessions, AllTakeRequestsIfAllAreAway) {
  UpSessions up(2);
  up.set(0, false);
  up.set(1, false);
  EXPECT_TRUE(up.takes_requests(0));
  EXPECT_TRUE(up.takes_requests(1));
  up.set(1, true);
  EXPECT_FALSE(up.takes_requests(0));
}

TEST(UpSessions, WhatIsKnownIsNoNews) {
  UpSessions up(2);
  EXPECT_FALSE(up.set(0, true));
  up.set(0, false);
  EXPECT_FALSE(up.set(0, false));
  EXPECT_TRUE(up.takes_requests(1));
}

}  // namespace
}  // namespace lunfs::fs
