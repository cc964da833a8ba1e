#include "base/call_within.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

namespace lunfs {
namespace {

using std::chrono::milliseconds;

TEST(CallWithin, TheResultComesBack) {
  EXPECT_EQ(call_within(milliseconds(5000), [] { return std::string("done"); }), "done");
}

TEST(CallWithin, TheExceptionComesBack) {
  EXPECT_THROW(call_within(milliseconds(5000), []() -> int { throw std::runtime_error("no"); }),
               std::runtime_error);
}

TEST(CallWithin, WhatTakesTooLongIsLeftBehind) {
  const auto release = std::make_shared<std::atomic<bool>>(false);
  EXPECT_EQ(call_within(milliseconds(20),
                        [release] {
                          release->wait(false);
                          return 1;
                        }),
            std::nullopt);
  *release = true;
  release->notify_all();
}

}  // namespace
}  // namespace lunfs
