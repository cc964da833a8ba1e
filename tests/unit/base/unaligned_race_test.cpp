// Writes of whole and of partly covered blocks that overlap and are in flight together, with
// deadlines and cancellations: every byte that is read must be one that a judge of the whole
// history allows (tests/support/byte_history.h).
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "base/unaligned_device.h"
#include "tests/support/byte_history.h"
#include "tests/support/memory_device.h"
#include "tests/support/yield.h"

namespace lunfs {
namespace {

using testing::ByteHistory;
using testing::MemoryDevice;
using testing::Yield;

constexpr std::byte kInitial{0xEE};
constexpr std::uint64_t kSizeBlocks = 12;
constexpr int kWorkers = 12;
constexpr int kOperationsEach = 18;  // 216 writes at most: each has a value of its own

struct RaceParameters {
  std::uint32_t block;
  std::uint32_t seed;
};

void PrintTo(const RaceParameters& race, std::ostream* out) {
  *out << race.block << "Seed" << race.seed;
}

class UnalignedRace : public ::testing::TestWithParam<RaceParameters> {
 protected:
  struct Range {
    std::uint64_t offset;
    std::uint64_t length;
  };

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  Range pick() {
    const std::uint64_t size = device_.geometry().size_bytes;
    if (below(3) == 0) {  // whole blocks
      const std::uint64_t first = below(kSizeBlocks);
      return {first * block_,
              (1 + below(std::min<std::uint64_t>(4, kSizeBlocks - first))) * block_};
    }
    const std::uint64_t offset = below(size);
    return {offset, 1 + below(std::min(3 * block_, size - offset))};
  }

  Task<void> change(RequestContext& context) {
    const Range range = pick();
    const bool zeroes = below(6) == 0;
    const std::byte value = zeroes ? std::byte{0} : std::byte{++last_value_};
    const std::vector<std::byte> data(range.length, value);
    const std::size_t write = history_.begin_write(range.offset, range.length, value);
    bool acknowledged = true;
    try {
      if (zeroes) {
        co_await device_.write_zeroes(context, range.offset, range.length, below(2) == 0);
      } else {
        co_await device_.write(context, range.offset, data);
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled) << error.what();
      acknowledged = false;
    }
    failed_ += acknowledged ? 0 : 1;
    history_.end_write(write, acknowledged);
  }

  Task<void> look() {
    const Range range = pick();
    std::vector<std::byte> out(range.length);
    RequestContext context;
    const ByteHistory::Time began = history_.now();
    co_await device_.read(context, range.offset, out);
    EXPECT_EQ(history_.complaint(began, range.offset, out), "");
  }

  Task<void> worker() {
    for (int i = 0; i < kOperationsEach; ++i) {
      if (below(3) == 0) {
        co_await look();
        continue;
      }
      Cancellation cancellation;
      RequestContext context{.cancellation = &cancellation};
      if (below(8) != 0) {
        co_await change(context);
        continue;
      }
      std::vector<Task<void>> both;
      both.push_back(change(context));
      both.push_back(cancel_soon(cancellation, below(12)));
      co_await when_all(std::move(both));
    }
  }

  Task<void> cancel_soon(Cancellation& cancellation, std::uint64_t turns) {
    for (; turns > 0; --turns) co_await Yield{reactor_};
    cancellation.request();
  }

  const std::uint64_t block_ = GetParam().block;
  std::mt19937 random_{GetParam().seed};
  Reactor reactor_;
  MemoryDevice memory_{std::vector<std::byte>(kSizeBlocks * block_, kInitial), GetParam().block};
  UnalignedDevice device_{reactor_, memory_};
  ByteHistory history_{kSizeBlocks * block_, kInitial};
  std::uint8_t last_value_ = 0;
  int failed_ = 0;
};

TEST_P(UnalignedRace, AcknowledgedBytesNeverTurnBack) {
  memory_.suspend_through(reactor_, GetParam().seed);
  std::vector<Task<void>> workers;
  for (int i = 0; i < kWorkers; ++i) workers.push_back(worker());
  run_until_done(reactor_, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(workers)));

  const ByteHistory::Time end = history_.now();
  EXPECT_EQ(history_.complaint(end, 0, memory_.bytes()), "");
  EXPECT_LT(failed_, kWorkers * kOperationsEach / 4);
}

std::vector<RaceParameters> races() {
  std::vector<RaceParameters> all;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    all.push_back({512, seed});
    if (seed <= 10) all.push_back({4096, seed});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Seeds, UnalignedRace, ::testing::ValuesIn(races()),
                         [](const auto& instance) {
                           return std::to_string(instance.param.block) + "Seed" +
                                  std::to_string(instance.param.seed);
                         });

}  // namespace
}  // namespace lunfs
