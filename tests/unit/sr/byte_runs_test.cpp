#include "volume/sr/byte_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunfs::sr {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kMib = 1U << 20U;
constexpr std::uint64_t kTib = 1ULL << 40U;

vhd::Layout layout_of(std::uint64_t blocks, std::uint64_t block_bytes, std::uint64_t size_bytes) {
  vhd::Layout layout;
  layout.block_count = blocks;
  layout.block_bytes = block_bytes;
  layout.size_bytes = size_bytes;
  return layout;
}

TEST(ByteRuns, NeighbouringBlocksAreOneRun) {
  const vhd::BlockSet blocks = {std::byte{0b0110'0001}, std::byte{0b1000'0000}};
  EXPECT_THAT(runs_of(blocks, layout_of(16, 4096, 65536)),
              ElementsAre(ByteRun{4096, 12288}, ByteRun{28672, 36864}));
}

TEST(ByteRuns, NoBlockIsNoRun) {
  EXPECT_THAT(runs_of(vhd::BlockSet(4), layout_of(32, 4096, 131072)), IsEmpty());
  EXPECT_THAT(runs_of({}, layout_of(32, 4096, 131072)), IsEmpty());
}

TEST(ByteRuns, TheLastBlockEndsWithTheDisk) {
  const vhd::BlockSet blocks = {std::byte{0b0010'0000}};
  EXPECT_THAT(runs_of(blocks, layout_of(3, 4096, 10240)), ElementsAre(ByteRun{8192, 10240}));
}

TEST(ByteRuns, BitsBehindTheLastBlockDoNotCount) {
  const vhd::BlockSet blocks = {std::byte{0xFF}};
  EXPECT_THAT(runs_of(blocks, layout_of(2, 4096, 8192)), ElementsAre(ByteRun{0, 8192}));
}

TEST(ByteRuns, UnionCountsSharedBytesOnce) {
  const ByteRuns one = {{0, 4096}, {8192, 12288}, {20000, 21000}};
  const ByteRuns other = {{2048, 6144}, {8192, 10000}, {12288, 16384}};
  const ByteRuns both = unite(one, other, 65536);
  EXPECT_THAT(both, ElementsAre(ByteRun{0, 6144}, ByteRun{8192, 16384}, ByteRun{20000, 21000}));
  EXPECT_EQ(unite(other, one, 65536), both);
  EXPECT_EQ(total_bytes(both), 6144U + 8192U + 1000U);
}

TEST(ByteRuns, UnionEndsWithTheDisk) {
  EXPECT_THAT(unite({{0, 10}}, {{100, 300}, {400, 500}}, 200),
              ElementsAre(ByteRun{0, 10}, ByteRun{100, 200}));
}

TEST(ByteRuns, BlocksOfTwoMebibytesAreCountedExactlyOnTheLargestDisk) {
  const ByteRuns runs = unite({{0, 2 * kMib}}, {{4 * kMib, 6 * kMib}}, 2 * kTib);
  EXPECT_EQ(total_bytes(runs), 4 * kMib);
}

TEST(ByteRuns, GapsOfLessThanAMillionthCountAsStored) {
  const std::uint64_t gap = smallest_gap(2 * kTib) - 1;
  const ByteRuns runs = unite({{0, 512}}, {{512 + gap, 1024 + gap}}, 2 * kTib);
  EXPECT_EQ(total_bytes(runs), 1024 + gap);
}

TEST(ByteRuns, ADiskOfTinyBlocksHasABoundedNumberOfRuns) {
  // Every other sector of 8 GiB.
  const vhd::BlockSet blocks((16U << 20U) / 8, std::byte{0xAA});
  const ByteRuns runs = runs_of(blocks, layout_of(16U << 20U, 512, 8ULL << 30U));
  EXPECT_LE(runs.size(), (1U << 20U) + 1);
  EXPECT_GE(total_bytes(runs), 4ULL << 30U);
}

}  // namespace
}  // namespace lunfs::sr
