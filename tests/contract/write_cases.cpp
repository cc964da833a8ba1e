// What every device that can be written promises.
#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "base/spawn.h"
#include "tests/contract/block_device_contract.h"

namespace lunfs::testing {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlockDeviceWrites);

Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

void put(std::vector<std::byte>& model, std::uint64_t offset, ConstIoSpan in) {
  std::copy(in.begin(), in.end(), model.begin() + static_cast<std::ptrdiff_t>(offset));
}

TEST_P(BlockDeviceWrites, ReadGivesWhatWasWritten) {
  const Bytes data = fresh_bytes(10 * block() + (block() == 1 ? 5000 : 0));
  const std::uint64_t offset = 3 * block();
  Bytes expected = content();
  put(expected, offset, data);
  write(offset, data);
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, DurableWriteIsReadBackToo) {
  const Bytes data = fresh_bytes(GetParam().whole_block);
  run_until_done(reactor_,
                 device().write(context_, 0, data, {.fua = true, .resend = Resend::kNever}));
  EXPECT_EQ(read(0, data.size()), data);
}

TEST_P(BlockDeviceWrites, FlushAfterAWriteSucceeds) {
  const Bytes data = fresh_bytes(block());
  write(block(), data);
  EXPECT_EQ(failure_of([&] { return device().flush(context_); }), std::nullopt);
  EXPECT_EQ(read(block(), block()), data);
}

TEST_P(BlockDeviceWrites, ZeroLengthChangesNothing) {
  const Bytes before = content();
  for (const std::uint64_t offset : {std::uint64_t{0}, size()}) {
    EXPECT_EQ(failure_of([&] { return device().write(context_, offset, {}); }), std::nullopt);
    EXPECT_EQ(failure_of([&] { return device().unmap(context_, offset, 0); }), std::nullopt);
    EXPECT_EQ(failure_of([&] { return device().write_zeroes(context_, offset, 0, true); }),
              std::nullopt);
    EXPECT_EQ(failure_of([&] { return device().copy(context_, offset, 0, 0); }), std::nullopt);
    EXPECT_TRUE(run_until_done(reactor_, device().compare_and_write(context_, offset, {}, {})));
  }
  EXPECT_EQ(content(), before);
}

TEST_P(BlockDeviceWrites, LastBlockCanBeWritten) {
  Bytes expected = content();
  const Bytes data = fresh_bytes(block());
  put(expected, size() - block(), data);
  write(size() - block(), data);
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, ChangesBeyondTheEndAreOutOfRangeAndChangeNothing) {
  const Bytes before = content();
  const Bytes data = fresh_bytes(2 * block());
  const std::uint64_t length = data.size();
  const auto refused = ErrorKind::kOutOfRange;
  const std::uint64_t overflowing = std::numeric_limits<std::uint64_t>::max() - block() + 1;
  for (const std::uint64_t offset : {size() - block(), size(), size() + block(), overflowing}) {
    EXPECT_EQ(failure_of([&] { return device().write(context_, offset, data); }), refused);
    EXPECT_EQ(failure_of([&] { return device().unmap(context_, offset, length); }), refused);
    EXPECT_EQ(failure_of([&] { return device().write_zeroes(context_, offset, length, false); }),
              refused);
    EXPECT_EQ(failure_of([&] { return device().copy(context_, 0, offset, length); }), refused);
    EXPECT_EQ(failure_of([&] { return device().copy(context_, offset, 0, length); }), refused);
    EXPECT_EQ(failure_of([&] { return device().compare_and_write(context_, offset, data, data); }),
              refused);
  }
  EXPECT_EQ(content(), before);
}

TEST_P(BlockDeviceWrites, PartsOfBlocksChangeTheirBytesAndNoOthers) {
  Bytes expected = content();
  const Bytes odd = fresh_bytes(block() + 1);
  if (block() != 1) {
    EXPECT_EQ(failure_of([&] { return device().write(context_, 0, odd); }), ErrorKind::kInternal);
    EXPECT_EQ(content(), expected);
    return;
  }
  for (const std::uint64_t offset : {511U, 4095U, 4097U, 32767U}) {
    for (const std::uint64_t length : {1U, 2U, 512U, 513U, 8193U}) {
      const Bytes data = fresh_bytes(length);
      put(expected, offset, data);
      write(offset, data);
      ASSERT_EQ(content(), expected) << length << " at " << offset;
    }
  }
}

TEST_P(BlockDeviceWrites, ConcurrentDisjointWritesAllArrive) {
  const std::uint64_t length = block() == 1 ? 1537 : 3 * block();
  const std::size_t count = std::min<std::uint64_t>(48, size() / length);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  Bytes expected = content();
  std::vector<Bytes> data;
  for (std::size_t i = 0; i < count; ++i) {
    data.push_back(fresh_bytes(length));
    put(expected, i * length, data[i]);
  }
  std::vector<Task<void>> tasks;
  for (const std::size_t i : order) tasks.push_back(device().write(context_, i * length, data[i]));
  run_until_done(reactor_, all_of(std::move(tasks)));
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, WriteZeroesGivesZerosThereOnly) {
  for (const bool may_unmap : {false, true}) {
    write(0, fresh_bytes(size()));
    Bytes expected = content();
    const std::uint64_t offset = block() == 1 ? 1000 : block();
    const std::uint64_t length = block() == 1 ? 20001 : 5 * block();
    put(expected, offset, Bytes(length));
    run_until_done(reactor_, device().write_zeroes(context_, offset, length, may_unmap));
    EXPECT_EQ(content(), expected) << "may_unmap " << may_unmap;
  }
}

TEST_P(BlockDeviceWrites, UnmapTouchesNoNeighbourAndTheRangeCanBeWrittenAgain) {
  write(0, fresh_bytes(size()));
  Bytes expected = content();
  const std::uint64_t offset = block() == 1 ? 1000 : block();
  const std::uint64_t length = block() == 1 ? 20001 : 5 * block();
  const auto failure = failure_of([&] { return device().unmap(context_, offset, length); });
  if (!device().geometry().can_unmap) {
    EXPECT_EQ(failure, ErrorKind::kUnsupported);
    EXPECT_EQ(content(), expected);
    return;
  }
  EXPECT_EQ(failure, std::nullopt);
  const Bytes data = fresh_bytes(length);
  put(expected, offset, data);
  write(offset, data);
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, CopyMovesTheBytes) {
  write(0, fresh_bytes(size()));
  Bytes expected = content();
  const std::uint64_t from = block() == 1 ? 100 : block();
  const std::uint64_t length = block() == 1 ? 10001 : 4 * block();
  const std::uint64_t to = from + length;  // ranges that touch do not overlap
  const auto source = expected.begin() + static_cast<std::ptrdiff_t>(from);
  put(expected, to, Bytes(source, source + static_cast<std::ptrdiff_t>(length)));
  run_until_done(reactor_, device().copy(context_, from, to, length));
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, CopyOntoItselfIsRefused) {
  const Bytes before = content();
  const std::uint64_t length = 4 * block();
  for (const std::uint64_t to : {std::uint64_t{4 * block()}, 7 * block(), block()}) {
    EXPECT_EQ(failure_of([&] { return device().copy(context_, 4 * block(), to, length); }),
              ErrorKind::kInternal);
  }
  EXPECT_EQ(content(), before);
}

TEST_P(BlockDeviceWrites, CompareAndWriteWritesOnlyOverWhatWasExpected) {
  const std::uint64_t length = GetParam().whole_block;
  const std::uint64_t offset = 2 * length;
  const Bytes old = fresh_bytes(length);
  const Bytes fresh = fresh_bytes(length);
  write(offset, old);
  Bytes expected = content();
  const auto compare = [&] { return device().compare_and_write(context_, offset, old, fresh); };
  const auto failure = failure_of(compare);
  // Asked afterwards: a device may learn only now that it cannot.
  if (!device().geometry().can_compare_and_write) {
    EXPECT_EQ(failure, ErrorKind::kUnsupported);
    EXPECT_EQ(content(), expected);
    return;
  }
  EXPECT_EQ(failure, std::nullopt);
  put(expected, offset, fresh);
  EXPECT_EQ(content(), expected) << "the range held what was expected";
  EXPECT_FALSE(run_until_done(reactor_, compare()));
  EXPECT_EQ(content(), expected);
}

TEST_P(BlockDeviceWrites, HolesReadAsZeros) {
  write(0, fresh_bytes(size()));
  const std::uint64_t middle = size() / 4 / 4096 * 4096;
  run_until_done(reactor_, device().write_zeroes(context_, middle, 2 * middle, true));
  const Bytes whole = content();
  std::uint64_t at = 0;
  for (const Extent& extent : run_until_done(reactor_, device().allocated(context_, 0, size()))) {
    EXPECT_EQ(extent.offset, at);
    at += extent.length;
    const auto from = whole.begin() + static_cast<std::ptrdiff_t>(extent.offset);
    const Bytes run(from, from + static_cast<std::ptrdiff_t>(extent.length));
    if (extent.hole) {
      EXPECT_EQ(run, Bytes(run.size())) << "hole at " << extent.offset;
    }
  }
  EXPECT_EQ(at, size());
}

TEST_P(BlockDeviceWrites, CancelledOrLateChangesAreNotBegun) {
  Cancellation cancellation;
  cancellation.request();
  RequestContext cancelled{.cancellation = &cancellation};
  RequestContext late = RequestContext::within(std::chrono::milliseconds(-1));
  const Bytes before = content();
  const Bytes data = fresh_bytes(block());
  EXPECT_EQ(failure_of([&] { return device().write(cancelled, 0, data); }), ErrorKind::kCancelled);
  EXPECT_EQ(failure_of([&] { return device().write(late, 0, data); }), ErrorKind::kTimedOut);
  EXPECT_EQ(failure_of([&] { return device().write_zeroes(cancelled, 0, block(), true); }),
            ErrorKind::kCancelled);
  EXPECT_EQ(failure_of([&] { return device().write_zeroes(late, 0, block(), false); }),
            ErrorKind::kTimedOut);
  EXPECT_EQ(failure_of([&] { return device().copy(late, 0, block(), block()); }),
            ErrorKind::kTimedOut);
  EXPECT_EQ(content(), before);
}

TEST_P(BlockDeviceWrites, RandomOperationsAgreeWithAModel) {
  constexpr int kOperations = 300;
  std::mt19937 random(11);
  Bytes model = content();
  const std::uint64_t blocks = size() / block();
  for (int i = 0; i < kOperations; ++i) {
    const std::uint64_t first = random() % blocks;
    const std::uint64_t most = std::min<std::uint64_t>(blocks - first, 20000 / block() + 1);
    const std::uint64_t offset = first * block();
    const std::uint64_t length = (1 + random() % most) * block();
    switch (random() % 4) {
      case 0: {
        const auto from = model.begin() + static_cast<std::ptrdiff_t>(offset);
        ASSERT_EQ(read(offset, length), Bytes(from, from + static_cast<std::ptrdiff_t>(length)));
        break;
      }
      case 1:
        put(model, offset, Bytes(length));
        run_until_done(reactor_, device().write_zeroes(context_, offset, length, i % 2 == 0));
        break;
      default: {
        const Bytes data = fresh_bytes(length);
        put(model, offset, data);
        write(offset, data);
      }
    }
  }
  EXPECT_EQ(content(), model);
}

}  // namespace
}  // namespace lunfs::testing
