// A file's Truncation, found and used by several shards.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

#include "base/hand_over.h"
#include "base/run.h"
#include "base/spawn.h"
#include "fs/truncation.h"
#include "tests/support/reactor_thread.h"

namespace lunfs::fs {
namespace {

TEST(TruncationPlace, IsEmptyUntilSomebodyTruncates) {
  TruncationPlace place;
  EXPECT_EQ(place.find(), nullptr);
  const auto first = place.take();
  EXPECT_EQ(place.find(), first);
  EXPECT_EQ(place.take(), first);
}

TEST(TruncationPlace, IsEmptyAgainWhenTheLastHasClosed) {
  TruncationPlace place;
  static_cast<void>(place.take());
  EXPECT_EQ(place.find(), nullptr);
  const auto next = place.take();
  EXPECT_EQ(place.find(), next);
}

constexpr std::size_t kSize = 1024;
constexpr std::size_t kMostRuns = 8;
constexpr std::byte kOld{0xee};
constexpr std::byte kNew{0x11};

/// Bytes that several threads may change at once, each its own.
class SharedBytes final : public BlockDevice {
 public:
  explicit SharedBytes(std::size_t size) : bytes_(size, kOld) {}
  [[nodiscard]] Geometry geometry() const noexcept override {
    Geometry geometry;
    geometry.size_bytes = bytes_.size();
    return geometry;
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 protected:
  Task<void> do_read(RequestContext& /*context*/, std::uint64_t offset, IoSpan out) override {
    std::copy_n(at(offset), out.size(), out.begin());
    co_return;
  }
  Task<void> do_write(RequestContext& /*context*/, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags /*flags*/) override {
    std::copy(in.begin(), in.end(), at(offset));
    co_return;
  }
  Task<void> do_flush(RequestContext& /*context*/) override { co_return; }

 private:
  [[nodiscard]] std::vector<std::byte>::iterator at(std::uint64_t offset) {
    return bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
  }
  std::vector<std::byte> bytes_;
};

/// A shard that writes single bytes at its own places while others write at theirs.
Task<void> write_many(RequestContext& context, Truncation& truncation, Truncation::Writer writer,
                      std::vector<std::uint64_t> places) {
  const std::array<std::byte, 1> data{kNew};
  for (const std::uint64_t at : places) {
    co_await truncation.make_room(context, writer);
    truncation.reached(at + 1);
    truncation.note(at, 1);
    RangeLock::Entry entry(truncation.line(), writer.reactor, RangeLock::Mode::kShared, at, 1);
    if (!entry.granted()) co_await entry.wait(context);
    co_await writer.device.write(context, at, data);
  }
}

TEST(TruncationOfManyShards, NoWriteIsLostAndEveryGapBecomesZeros) {
  constexpr std::size_t kShards = 3;
  std::array<testing::ReactorThread, kShards> threads;
  std::vector<std::unique_ptr<Durability>> durabilities;
  Truncation truncation(kMostRuns);
  Reactor here;
  RequestContext context;
  std::minstd_rand random(3);
  std::vector<std::uint64_t> all(kSize);
  for (std::size_t i = 0; i < kSize; ++i) all[i] = i;
  std::shuffle(all.begin(), all.end(), random);
  all.resize(kSize / 4);

  SharedBytes shared(kSize);
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < kShards; ++i) {
    std::vector<std::uint64_t> places;
    for (std::size_t at = i; at < all.size(); at += kShards) places.push_back(all[at]);
    durabilities.push_back(std::make_unique<Durability>(shared));
    Truncation::Writer writer{threads[i].reactor(), shared, *durabilities.back()};
    tasks.push_back(run_on(threads[i].reactor(), here, context,
                           [&truncation, writer, places](RequestContext& there) {
                             return write_many(there, truncation, writer, places);
                           }));
  }
  run_until_done(here, [](std::vector<Task<void>> writes) -> Task<void> {
    co_await when_all(std::move(writes));
  }(std::move(tasks)));
  const std::uint64_t end = *std::max_element(all.begin(), all.end()) + 1;
  Durability durability(shared);
  run_until_done(here, truncation.zero_gaps(context, {here, shared, durability}, end));

  std::vector<std::byte> expected(kSize, kOld);
  std::fill(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
  for (const std::uint64_t at : all) expected[at] = kNew;
  EXPECT_EQ(shared.bytes(), expected);
}

}  // namespace
}  // namespace lunfs::fs
