#include "fs/kernel_hints.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <thread>

namespace lunfs::fs {
namespace {

/// What sched_getattr(2) says of this thread.
struct Scheduling {
  Scheduling() {
    std::array<std::uint32_t, 12> words{};
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, words.data(), sizeof words, 0), 0);
    policy = static_cast<int>(words[1]);
    nice = static_cast<int>(words[4]);
    std::memcpy(&slice_ns, &words[6], sizeof slice_ns);
  }
  int policy = 0;
  int nice = 0;
  std::uint64_t slice_ns = 0;  ///< 0: the kernel has none
};

/// Runs `check` on a thread of its own, with its nice value: one more than anybody began with.
template <typename Check>
void on_nice_thread(Check check) {
  std::thread([&] {
    const int nice = std::min(Scheduling().nice + 1, 19);
    ASSERT_EQ(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice), 0);
    check(nice);
  }).join();
}

TEST(KernelHints, BatchThreadKeepsItsNiceValue) {
  on_nice_thread([](int nice) {
    schedule_as_batch();
    const Scheduling now;
    EXPECT_EQ(now.policy, SCHED_BATCH);
    EXPECT_EQ(now.nice, nice);
  });
}

TEST(KernelHints, BatchThreadHasSlicesOfEightMillisecondsWhereTheKernelHasSlices) {
  on_nice_thread([](int /*nice*/) {
    const Scheduling before;
    schedule_as_batch();
    EXPECT_EQ(Scheduling().slice_ns, before.slice_ns == 0 ? 0U : 8'000'000U);
  });
}

}  // namespace
}  // namespace lunfs::fs
