#include "fs/seek.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"

namespace lunfs::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::uint64_t kMib = 1U << 20U;
constexpr std::uint64_t kGib = 1U << 30U;

/// Data in one run, the rest a hole; remembers what it was asked for.
class MapDevice final : public BlockDevice {
 public:
  MapDevice(std::uint64_t size_bytes, Extent data) : data_(data) {
    geometry_.size_bytes = size_bytes;
  }

  [[nodiscard]] Geometry geometry() const noexcept override { return geometry_; }

  std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;

 protected:
  Task<void> do_read(RequestContext&, std::uint64_t, IoSpan) override { co_return; }
  Task<void> do_write(RequestContext&, std::uint64_t, ConstIoSpan, WriteFlags) override {
    co_return;
  }
  Task<void> do_flush(RequestContext&) override { co_return; }
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override {
    context.check();
    asked.emplace_back(offset, length);
    std::vector<Extent> runs;
    const std::uint64_t end = offset + length;
    const std::uint64_t first = std::clamp(data_.offset, offset, end);
    const std::uint64_t last = std::clamp(data_.offset + data_.length, offset, end);
    if (first > offset) runs.push_back({offset, first - offset, true});
    if (last > first) runs.push_back({first, last - first, false});
    if (end > last) runs.push_back({last, end - last, true});
    co_return runs;
  }

 private:
  Geometry geometry_;
  Extent data_;
};

class Seek : public ::testing::Test {
 protected:
  std::optional<std::uint64_t> data(BlockDevice& device, std::uint64_t offset) {
    return run_until_done(reactor_, find_run(context_, device, offset, false));
  }
  std::optional<std::uint64_t> hole(BlockDevice& device, std::uint64_t offset) {
    return run_until_done(reactor_, find_run(context_, device, offset, true));
  }

  Reactor reactor_;
  RequestContext context_;
};

TEST_F(Seek, FindsWhereARunBeginsOrStaysInIt) {
  MapDevice device(64 * kMib, {10 * kMib, 5 * kMib, false});
  EXPECT_EQ(data(device, 0), 10 * kMib);
  EXPECT_EQ(data(device, 12 * kMib), 12 * kMib);
  EXPECT_EQ(hole(device, 10 * kMib), 15 * kMib);
  EXPECT_EQ(hole(device, 3), 3U);
}

TEST_F(Seek, FindsNothingBehindTheLastRun) {
  MapDevice device(64 * kMib, {10 * kMib, 54 * kMib, false});
  EXPECT_EQ(hole(device, 10 * kMib), std::nullopt);
  MapDevice empty(64 * kMib, {0, 0, false});
  EXPECT_EQ(data(empty, 0), std::nullopt);
}

TEST_F(Seek, AsksForLittleAtFirstAndTwiceAsMuchEachTime) {
  constexpr std::uint64_t kKib = 1024;
  MapDevice device(64 * kMib, {600 * kKib, kMib, false});
  EXPECT_EQ(data(device, 512), 600 * kKib);
  EXPECT_THAT(device.asked,
              ElementsAre(Pair(512, 64 * kKib), Pair(64 * kKib + 512, 128 * kKib),
                          Pair(192 * kKib + 512, 256 * kKib), Pair(448 * kKib + 512, 512 * kKib)));
}

TEST_F(Seek, NeverAsksForMoreThanAGibibyte) {
  MapDevice device(16 * kGib, {0, 0, false});
  data(device, 0);
  std::uint64_t largest = 0;
  std::uint64_t sum = 0;
  for (const auto& [offset, length] : device.asked) {
    largest = std::max(largest, length);
    sum += length;
  }
  EXPECT_EQ(largest, kGib);
  EXPECT_EQ(sum, 16 * kGib);
}

TEST_F(Seek, ASignalDoesNotBreakOffWhatIsShort) {
  MapDevice device(64 * kMib, {40 * kMib, kMib, false});
  Cancellation cancellation;
  context_.cancellation = &cancellation;
  cancellation.request();
  EXPECT_EQ(data(device, 0), 40 * kMib);
}

TEST_F(Seek, ASignalBreaksOffWhatIsLongBetweenTwoMaps) {
  MapDevice device(64 * kMib, {40 * kMib, kMib, false});
  Cancellation cancellation;
  context_.cancellation = &cancellation;
  cancellation.request();
  try {
    run_until_done(reactor_, find_run(context_, device, 0, false, std::chrono::milliseconds(-1)));
    FAIL() << "not broken off";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_EQ(device.asked.size(), 1U);
}

}  // namespace
}  // namespace lunfs::fs
