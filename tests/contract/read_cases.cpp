// What every device promises to those that read.
#include <limits>
#include <utility>

#include "base/spawn.h"
#include "tests/contract/block_device_contract.h"

namespace lunfs::testing {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlockDeviceReads);

Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

TEST_P(BlockDeviceReads, SizeIsWholeBlocks) {
  ASSERT_GT(block(), 0U);
  EXPECT_EQ(size() % block(), 0U);
}

TEST_P(BlockDeviceReads, ZeroLengthSucceedsAnywhereInside) {
  for (const std::uint64_t offset : {std::uint64_t{0}, size() / 2 / block() * block(), size()}) {
    EXPECT_EQ(failure_of([&] { return device().read(context_, offset, {}); }), std::nullopt);
    EXPECT_TRUE(run_until_done(reactor_, device().allocated(context_, offset, 0)).empty());
  }
}

TEST_P(BlockDeviceReads, LastBlockCanBeRead) {
  const Bytes whole = content();
  const Bytes last(whole.end() - static_cast<std::ptrdiff_t>(block()), whole.end());
  EXPECT_EQ(read(size() - block(), block()), last);
}

TEST_P(BlockDeviceReads, OnePastTheEndIsOutOfRange) {
  Bytes out(2 * block());
  for (const std::uint64_t offset : {size() - block(), size(), size() + block()}) {
    EXPECT_EQ(failure_of([&] { return device().read(context_, offset, out); }),
              ErrorKind::kOutOfRange);
    EXPECT_EQ(failure_of([&] { return device().allocated(context_, offset, out.size()); }),
              ErrorKind::kOutOfRange);
  }
}

TEST_P(BlockDeviceReads, OffsetThatOverflowsIsOutOfRange) {
  Bytes out(2 * block());
  const std::uint64_t offset = std::numeric_limits<std::uint64_t>::max() - block() + 1;
  EXPECT_EQ(failure_of([&] { return device().read(context_, offset, out); }),
            ErrorKind::kOutOfRange);
  EXPECT_EQ(failure_of([&] { return device().allocated(context_, offset, out.size()); }),
            ErrorKind::kOutOfRange);
}

TEST_P(BlockDeviceReads, AnyCutOfTheContentIsTheSame) {
  const Bytes whole = content();
  for (const std::uint64_t border :
       {std::uint64_t{512}, std::uint64_t{4096}, std::uint64_t{32768}}) {
    for (const std::uint64_t before : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{511}}) {
      for (const std::uint64_t length :
           {std::uint64_t{1}, std::uint64_t{513}, std::uint64_t{9000}}) {
        const std::uint64_t offset = border - before;
        if (offset % block() != 0 || length % block() != 0) continue;
        const auto from = whole.begin() + static_cast<std::ptrdiff_t>(offset);
        EXPECT_EQ(read(offset, length), Bytes(from, from + static_cast<std::ptrdiff_t>(length)))
            << length << " at " << offset;
      }
    }
  }
}

TEST_P(BlockDeviceReads, PartsOfBlocksAreRefusedByDevicesOfBlocks) {
  if (block() == 1) return;  // AnyCutOfTheContentIsTheSame reads them
  Bytes out(block() + 1);
  EXPECT_EQ(failure_of([&] { return device().read(context_, 0, out); }), ErrorKind::kInternal);
  EXPECT_EQ(failure_of([&] { return device().read(context_, 1, IoSpan(out).first(block())); }),
            ErrorKind::kInternal);
}

TEST_P(BlockDeviceReads, ConcurrentReadsAllGetTheirBytes) {
  constexpr std::size_t kReads = 64;
  const Bytes whole = content();
  const std::uint64_t length = 3 * block() + (block() == 1 ? 700 : 0);
  std::vector<Bytes> outs(kReads, Bytes(length));
  std::vector<std::uint64_t> offsets;
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < kReads; ++i) {
    offsets.push_back(i * 7919 % (size() - length) / block() * block());
    tasks.push_back(device().read(context_, offsets[i], outs[i]));
  }
  run_until_done(reactor_, all_of(std::move(tasks)));
  for (std::size_t i = 0; i < kReads; ++i) {
    const auto from = whole.begin() + static_cast<std::ptrdiff_t>(offsets[i]);
    EXPECT_EQ(outs[i], Bytes(from, from + static_cast<std::ptrdiff_t>(length))) << offsets[i];
  }
}

TEST_P(BlockDeviceReads, CancelledRequestIsNotBegun) {
  Cancellation cancellation;
  cancellation.request();
  RequestContext cancelled{.cancellation = &cancellation};
  Bytes out(block());
  EXPECT_EQ(failure_of([&] { return device().read(cancelled, 0, out); }), ErrorKind::kCancelled);
}

TEST_P(BlockDeviceReads, RequestWhoseDeadlineHasPassedIsNotBegun) {
  RequestContext late = RequestContext::within(std::chrono::milliseconds(-1));
  Bytes out(block());
  EXPECT_EQ(failure_of([&] { return device().read(late, 0, out); }), ErrorKind::kTimedOut);
}

TEST_P(BlockDeviceReads, AllocatedCoversTheRangeExactly) {
  const std::uint64_t offset = size() / 3 / block() * block();
  const std::uint64_t length = size() / 2 / block() * block();
  std::uint64_t at = offset;
  std::optional<bool> hole_before;
  for (const Extent& extent :
       run_until_done(reactor_, device().allocated(context_, offset, length))) {
    EXPECT_EQ(extent.offset, at);
    EXPECT_GT(extent.length, 0U);
    EXPECT_NE(hole_before, extent.hole) << "neighbours differ";
    at += extent.length;
    hole_before = extent.hole;
  }
  EXPECT_EQ(at, offset + length);
}

TEST_P(BlockDeviceReads, FlushSucceedsWithoutAWrite) {
  EXPECT_EQ(failure_of([&] { return device().flush(context_); }), std::nullopt);
}

TEST_P(BlockDeviceReads, ReadOnlyDeviceRefusesEveryChangeAndKeepsItsBytes) {
  open(true);
  const Bytes before = content();
  const Bytes data = fresh_bytes(GetParam().whole_block);
  const std::uint64_t length = data.size();
  ASSERT_TRUE(device().geometry().read_only);
  const auto refused = ErrorKind::kReadOnly;
  EXPECT_EQ(failure_of([&] { return device().write(context_, 0, data); }), refused);
  EXPECT_EQ(failure_of([&] { return device().unmap(context_, 0, length); }), refused);
  EXPECT_EQ(failure_of([&] { return device().write_zeroes(context_, 0, length, true); }), refused);
  EXPECT_EQ(failure_of([&] { return device().write_zeroes(context_, 0, length, false); }), refused);
  EXPECT_EQ(failure_of([&] { return device().copy(context_, 0, length, length); }), refused);
  EXPECT_EQ(failure_of([&] { return device().compare_and_write(context_, 0, data, data); }),
            refused);
  EXPECT_EQ(content(), before);
}

}  // namespace
}  // namespace lunfs::testing
