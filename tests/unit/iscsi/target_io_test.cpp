// Reading and writing, against the real tgtd.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <optional>

#include "tests/unit/iscsi/one_lun.h"

namespace lunfs::iscsi {
namespace {

using testing::all_of;
using testing::kMiB;
using testing::noise;
using testing::OneLun;

class BlockSizes : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(BlockSizes, RequestsOfAnyPlaceAndLength) {
  OneLun one(8 * kMiB, GetParam());
  one.open();
  EXPECT_EQ(one.lun->identity().block_size_bytes, GetParam());
  const struct {
    std::uint64_t offset;
    std::size_t size;
  } cases[] = {
      {0, 1},
      {0, 512},
      {0, 4096},
      {511, 2},
      {4095, 2},
      {4097, 4094},
      {12345, 54321},
      {0, kMiB},
      {kMiB - 1, kMiB + 2},
      {512, 2 * kMiB},
      {3 * kMiB + 4096, 3 * kMiB},
      {8 * kMiB - 1, 1},
      {8 * kMiB - 4097, 4097},
  };
  std::vector<std::byte> expected(8 * kMiB);
  std::uint32_t seed = 0;
  for (const auto& c : cases) {
    const auto data = noise(c.size, ++seed);
    one.write(c.offset, data);
    std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(c.offset));
    EXPECT_EQ(one.read(c.offset, c.size), data) << c.offset << "+" << c.size;
  }
  EXPECT_EQ(one.read(0, expected.size()), expected);
  one.flush();
  EXPECT_EQ(one.stored(0, expected.size()), expected);
  EXPECT_THROW(one.read(8 * kMiB, 1), Error);
}

TEST_P(BlockSizes, ZeroesAndUnmap) {
  OneLun one(8 * kMiB, GetParam());
  one.server.set_lun(1, 1, "thin_provisioning=1");
  one.open();
  EXPECT_TRUE(one.lun->geometry().can_unmap);
  const auto data = noise(8 * kMiB, 1);
  one.write(0, data);
  one.flush();
  EXPECT_GE(one.stored_bytes(), 8 * kMiB);
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 1000, 3 * kMiB, true); });
  auto expected = data;
  std::fill_n(expected.begin() + 1000, 3 * kMiB, std::byte{0});
  EXPECT_EQ(one.read(0, expected.size()), expected);
  EXPECT_LT(one.stored_bytes(), 6 * kMiB);  // given back
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 4 * kMiB, kMiB, false); });
  std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(4 * kMiB), kMiB, std::byte{0});
  EXPECT_EQ(one.read(0, expected.size()), expected);
  one.initiator.run([&](RequestContext& c) { return one.lun->unmap(c, 6 * kMiB, kMiB); });
  EXPECT_EQ(one.read(0, 6 * kMiB),
            std::vector<std::byte>(expected.begin(),
                                   expected.begin() + static_cast<std::ptrdiff_t>(6 * kMiB)));
}

TEST_P(BlockSizes, HolesAreNeverData) {
  OneLun one(8 * kMiB, GetParam());
  one.server.set_lun(1, 1, "thin_provisioning=1");
  one.open();
  one.write(2 * kMiB, noise(kMiB, 1));
  one.flush();
  const auto extents = one.initiator.run(
      [&](RequestContext& c) { return one.lun->allocated(c, 100, 8 * kMiB - 200); });
  std::uint64_t at = 100;
  for (const Extent& extent : extents) {
    EXPECT_EQ(extent.offset, at);
    at += extent.length;
    if (!extent.hole) continue;
    EXPECT_EQ(one.read(extent.offset, extent.length), std::vector<std::byte>(extent.length));
    EXPECT_TRUE(extent.offset + extent.length <= 2 * kMiB || extent.offset >= 3 * kMiB);
  }
  EXPECT_EQ(at, 8 * kMiB - 100);
}

INSTANTIATE_TEST_SUITE_P(Lun, BlockSizes, ::testing::Values(512U, 4096U));

TEST(FullLun, ZeroesAreWrittenWithoutThinProvisioning) {
  OneLun one;
  one.open();
  EXPECT_FALSE(one.lun->geometry().can_unmap);
  one.write(0, noise(16 * kMiB, 1));
  one.initiator.run(
      [&](RequestContext& c) { return one.lun->write_zeroes(c, 0, 16 * kMiB, true); });
  EXPECT_EQ(one.read(0, 16 * kMiB), std::vector<std::byte>(16 * kMiB));
  const auto extents =
      one.initiator.run([&](RequestContext& c) { return one.lun->allocated(c, 0, 16 * kMiB); });
  EXPECT_EQ(extents, (std::vector<Extent>{{.offset = 0, .length = 16 * kMiB, .hole = false}}));
}

Task<void> write_then_read(LunDevice& lun, RequestContext& context, std::uint64_t offset,
                           std::uint32_t seed, int& good) {
  const auto data = noise(6000, seed);
  co_await lun.write(context, offset, data);
  std::vector<std::byte> back(data.size());
  co_await lun.read(context, offset, back);
  if (back == data) ++good;
}

TEST(Lun, ThousandRequestsAtOnce) {
  OneLun one;
  one.open();
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  int good = 0;
  std::vector<Task<void>> tasks;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tasks.push_back(write_then_read(*one.lun, context, std::uint64_t{i} * 6000, i + 1, good));
  }
  run_until_done(one.initiator.reactor, all_of(std::move(tasks)));
  EXPECT_EQ(good, 1000);
  const SessionStats stats = one.lun->stats();
  EXPECT_GE(stats.commands, 2000U);
  EXPECT_GE(stats.bytes_written, 6'000'000U);
  EXPECT_GE(stats.bytes_read, 6'000'000U);
}

}  // namespace
}  // namespace lunfs::iscsi
