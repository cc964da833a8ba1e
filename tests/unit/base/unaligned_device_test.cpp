#include "base/unaligned_device.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"
#include "tests/support/recording_device.h"

namespace lunfs {
namespace {

using testing::FaultDevice;
using testing::MemoryDevice;
using testing::Operation;
using testing::RecordingDevice;
using testing::Request;
using Kind = RecordingDevice::Kind;

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kBlocks = 16;

std::vector<std::byte> filled(std::size_t length, unsigned value) {
  return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

class UnalignedDeviceTest : public ::testing::Test {
 protected:
  void write(std::uint64_t offset, ConstIoSpan in, WriteFlags flags = {}) {
    run_until_done(reactor_, device_.write(context_, offset, in, flags));
  }
  std::vector<std::byte> read(std::uint64_t offset, std::size_t length) {
    std::vector<std::byte> out(length);
    run_until_done(reactor_, device_.read(context_, offset, out));
    return out;
  }

  Reactor reactor_;
  MemoryDevice memory_{std::vector<std::byte>(kBlocks * kBlock, std::byte{0xEE}), kBlock};
  RecordingDevice log_{memory_};
  FaultDevice faults_{reactor_, log_};
  UnalignedDevice device_{reactor_, faults_};
  RequestContext context_;
};

TEST_F(UnalignedDeviceTest, IsADeviceOfBytesElseLikeTheInnerOne) {
  Geometry inner = memory_.geometry();
  inner.max_transfer_bytes = 12345;
  inner.physical_block_bytes = 4096;
  memory_.set_geometry(inner);
  const Geometry outer = device_.geometry();
  EXPECT_EQ(outer.block_size_bytes, 1U);
  EXPECT_EQ(outer.size_bytes, inner.size_bytes);
  EXPECT_EQ(outer.max_transfer_bytes, 12345U);
  EXPECT_EQ(outer.physical_block_bytes, 4096U);
  EXPECT_TRUE(outer.can_unmap);
  EXPECT_TRUE(outer.can_compare_and_write);
}

TEST_F(UnalignedDeviceTest, RefusesOddBlockSizes) {
  for (const std::uint32_t block : {0U, 520U, 1U << 17U}) {
    MemoryDevice odd(1U << 20U, block);
    try {
      const UnalignedDevice device(reactor_, odd);
      ADD_FAILURE() << block;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    }
  }
}

TEST_F(UnalignedDeviceTest, OwnsTheInnerDeviceIfToldSo) {
  UnalignedDevice owning(reactor_, std::make_unique<MemoryDevice>(4096, 4096));
  std::vector<std::byte> out(3);
  run_until_done(reactor_, owning.read(context_, 4093, out));
  EXPECT_EQ(out, filled(3, 0));
}

TEST_F(UnalignedDeviceTest, LastBlockThatIsNotWholeIsLeftOut) {
  MemoryDevice odd(1000, 512);
  const UnalignedDevice device(reactor_, odd);
  EXPECT_EQ(device.geometry().size_bytes, 512U);
}

TEST_F(UnalignedDeviceTest, WholeBlocksArePassedOnAsTheyAre) {
  write(kBlock, filled(2 * kBlock, 1));
  EXPECT_EQ(memory_.counts().reads, 0U);
  EXPECT_EQ(memory_.counts().writes, 1U);
  EXPECT_EQ(read(kBlock, 2 * kBlock), filled(2 * kBlock, 1));
  EXPECT_EQ(memory_.counts().reads, 1U);
}

TEST_F(UnalignedDeviceTest, ReadWithinOneBlockIsOneRead) {
  EXPECT_EQ(read(700, 10), filled(10, 0xEE));
  EXPECT_EQ(memory_.counts().reads, 1U);
}

TEST_F(UnalignedDeviceTest, ReadOverABorderWithoutAWholeBlockIsOneRead) {
  EXPECT_EQ(read(kBlock - 1, 2), filled(2, 0xEE));
  EXPECT_EQ(memory_.counts().reads, 1U);
}

TEST_F(UnalignedDeviceTest, ReadHasHeadMiddleAndTailInFlightAtOnce) {
  faults_.hold_matching([](const Request&) { return true; });
  std::vector<std::byte> out(3 * kBlock);
  bool ended = false;
  spawn(device_.read(context_, 100, out), [&](const std::exception_ptr&) { ended = true; });
  EXPECT_EQ(faults_.held(), 3U);
  faults_.release();
  run_until_done(reactor_, device_.flush(context_));
  EXPECT_TRUE(ended);
  EXPECT_EQ(out, filled(3 * kBlock, 0xEE));
}

struct Shape {
  std::uint64_t offset;
  std::uint64_t length;
};

// Every kind of cut: within a block, at its ends, over one or two borders, with and without whole
// blocks between, at the device's last byte.
constexpr Shape kShapes[] = {{0, 1},     {511, 1},   {511, 2},    {1, 510},    {1, 511},
                             {0, 513},   {1, 512},   {1, 1023},   {100, 1200}, {512, 513},
                             {511, 513}, {511, 514}, {8191, 1},   {7679, 513}, {1, 8190},
                             {0, 8191},  {1, 8191},  {1000, 1048}};

TEST_F(UnalignedDeviceTest, WritesChangeTheirBytesAndNoOthers) {
  for (const Shape& shape : kShapes) {
    std::fill(memory_.bytes().begin(), memory_.bytes().end(), std::byte{0xEE});
    std::vector<std::byte> expected = memory_.bytes();
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(shape.offset), shape.length,
                std::byte{7});
    write(shape.offset, filled(shape.length, 7));
    EXPECT_EQ(memory_.bytes(), expected) << shape.length << " at " << shape.offset;
    EXPECT_EQ(read(shape.offset, shape.length), filled(shape.length, 7));
  }
}

TEST_F(UnalignedDeviceTest, ZeroesChangeTheirBytesAndNoOthers) {
  for (const Shape& shape : kShapes) {
    std::fill(memory_.bytes().begin(), memory_.bytes().end(), std::byte{0xEE});
    std::vector<std::byte> expected = memory_.bytes();
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(shape.offset), shape.length,
                std::byte{0});
    run_until_done(reactor_,
                   device_.write_zeroes(context_, shape.offset, shape.length, shape.length > 1));
    EXPECT_EQ(memory_.bytes(), expected) << shape.length << " at " << shape.offset;
  }
}

TEST_F(UnalignedDeviceTest, EveryPartOfAWriteCarriesItsFlags) {
  write(100, filled(3 * kBlock, 1), {.fua = true, .resend = Resend::kNever});
  EXPECT_EQ(memory_.counts().writes, 3U);
  EXPECT_EQ(memory_.counts().fua_writes, 3U);
  EXPECT_EQ(memory_.counts().never_resends, 3U);
}

TEST_F(UnalignedDeviceTest, UnmapLeavesPartlyCoveredBlocksAlone) {
  run_until_done(reactor_, device_.unmap(context_, 1, 3 * kBlock));
  ASSERT_EQ(log_.log().size(), 1U);
  EXPECT_EQ(log_.log()[0].kind, Kind::kUnmap);
  EXPECT_EQ(log_.log()[0].offset, kBlock);
  EXPECT_EQ(log_.log()[0].length, 2 * kBlock);
}

TEST_F(UnalignedDeviceTest, UnmapWithoutAWholeBlockDoesNothing) {
  run_until_done(reactor_, device_.unmap(context_, 1, 2 * kBlock - 2));
  EXPECT_TRUE(log_.log().empty());
}

TEST_F(UnalignedDeviceTest, UnmapIsRefusedWhereTheInnerDeviceCannot) {
  Geometry geometry = memory_.geometry();
  geometry.can_unmap = false;
  memory_.set_geometry(geometry);
  try {
    run_until_done(reactor_, device_.unmap(context_, 1, 2));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  }
}

TEST_F(UnalignedDeviceTest, CompareAndWriteTakesWholeBlocksOnly) {
  const auto old = filled(kBlock, 0xEE);
  const auto fresh = filled(kBlock, 1);
  EXPECT_TRUE(run_until_done(reactor_, device_.compare_and_write(context_, kBlock, old, fresh)));
  EXPECT_FALSE(run_until_done(reactor_, device_.compare_and_write(context_, kBlock, old, fresh)));
  try {
    run_until_done(reactor_, device_.compare_and_write(context_, 1, old, fresh));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  }
}

TEST_F(UnalignedDeviceTest, UnalignedCopyMovesTheBytes) {
  write(0, filled(100, 3));
  write(100, filled(kBlock, 4));
  run_until_done(reactor_, device_.copy(context_, 50, 2 * kBlock + 1, 300));
  EXPECT_EQ(read(2 * kBlock, 1), filled(1, 0xEE));
  EXPECT_EQ(read(2 * kBlock + 1, 50), filled(50, 3));
  EXPECT_EQ(read(2 * kBlock + 51, 250), filled(250, 4));
  EXPECT_EQ(read(2 * kBlock + 301, 1), filled(1, 0xEE));
}

TEST_F(UnalignedDeviceTest, FailedReadOfAnEdgeWritesNothingOfIt) {
  faults_.fail_matching(
      [](const Request& request) { return request.operation == Operation::kRead; },
      Error(ErrorKind::kIo, "medium error"));
  EXPECT_THROW(write(10, filled(10, 1)), Error);
  EXPECT_EQ(memory_.bytes(), filled(kBlocks * kBlock, 0xEE));
}

TEST_F(UnalignedDeviceTest, RangeIsFreeAgainAfterAFailure) {
  faults_.fail_nth(2, Error(ErrorKind::kIo, "medium error"));  // the write of the edge
  EXPECT_THROW(write(10, filled(10, 1)), Error);
  write(12, filled(2, 2));
  EXPECT_EQ(read(12, 2), filled(2, 2));
}

// An acknowledged plain write must never be turned back by a read-modify-write that read before it.
TEST_F(UnalignedDeviceTest, EdgeIsReadOnlyAfterPlainWritesInFlight) {
  faults_.hold_matching(
      [](const Request& request) { return request.operation == Operation::kWrite; });
  const auto plain = filled(kBlock, 1);
  const auto edge = filled(2, 2);
  int ended = 0;
  const auto count = [&](const std::exception_ptr& failure) { ended += failure ? 100 : 1; };
  spawn(device_.write(context_, 0, plain), count);
  spawn(device_.write(context_, 10, edge), count);
  EXPECT_EQ(memory_.counts().reads, 0U) << "the edge was read while the plain write was in flight";
  faults_.release();
  while (ended < 2) run_until_done(reactor_, device_.flush(context_));
  EXPECT_EQ(ended, 2);
  auto expected = filled(kBlock, 1);
  std::fill_n(expected.begin() + 10, 2, std::byte{2});
  EXPECT_EQ(read(0, kBlock), expected);
}

TEST_F(UnalignedDeviceTest, PlainWriteWaitsForAnEdgeInFlight) {
  faults_.hold_matching(
      [](const Request& request) { return request.operation == Operation::kWrite; });
  const auto plain = filled(kBlock, 1);
  const auto edge = filled(2, 2);
  int ended = 0;
  const auto count = [&](const std::exception_ptr& failure) { ended += failure ? 100 : 1; };
  spawn(device_.write(context_, 10, edge), count);
  spawn(device_.write(context_, 0, plain), count);
  EXPECT_EQ(faults_.held(), 1U);
  faults_.release();
  while (ended < 2) run_until_done(reactor_, device_.flush(context_));
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(read(0, kBlock), plain);
}

TEST_F(UnalignedDeviceTest, WriteThatWaitsForTheRangeObeysItsDeadline) {
  faults_.hold_matching([](const Request& request) { return request.offset == 0; });
  const auto data = filled(2, 2);
  bool ended = false;
  spawn(device_.write(context_, 10, data), [&](const std::exception_ptr&) { ended = true; });
  RequestContext hurried = RequestContext::within(std::chrono::milliseconds(20));
  try {
    run_until_done(reactor_, device_.write(hurried, 12, data));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  }
  EXPECT_FALSE(ended);
  faults_.release();
  while (!ended) run_until_done(reactor_, device_.flush(context_));
  EXPECT_EQ(read(10, 4),
            (std::vector<std::byte>{std::byte{2}, std::byte{2}, std::byte{0xEE}, std::byte{0xEE}}));
}

}  // namespace
}  // namespace lunfs
