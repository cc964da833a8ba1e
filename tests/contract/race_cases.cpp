// Requests that overlap in space and time, on every device: a judge of the whole history
// (tests/support/byte_history.h) says whether each byte that is read may be what it is.
#include <algorithm>
#include <random>
#include <utility>

#include "base/spawn.h"
#include "tests/contract/block_device_contract.h"
#include "tests/support/byte_history.h"

namespace lunfs::testing {
namespace {

constexpr int kWorkers = 8;
constexpr int kOperationsEach = 24;  // 192 operations: every write has a value of its own
constexpr std::byte kInitial{0xFF};

class Race {
 public:
  Race(BlockDevice& device, std::uint64_t area)
      : device_(device), block_(device.geometry().block_size_bytes), area_(area) {}

  Task<void> run() {
    std::vector<Task<void>> workers;
    for (int i = 0; i < kWorkers; ++i) workers.push_back(work());
    co_await when_all(std::move(workers));
  }

  [[nodiscard]] std::string complaint(ConstIoSpan whole) {
    return history_.complaint(history_.now(), 0, whole);
  }

 private:
  Task<void> work() {
    RequestContext context;
    for (int i = 0; i < kOperationsEach; ++i) {
      const std::uint64_t offset = random_() % (area_ / block_) * block_;
      const std::uint64_t most =
          std::min<std::uint64_t>((area_ - offset) / block_, 6000 / block_ + 1);
      const std::uint64_t length = (1 + random_() % most) * block_;
      if (random_() % 3 == 0) {
        co_await look(context, offset, length);
      } else {
        co_await change(context, offset, length);
      }
    }
  }

  Task<void> change(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
    const std::byte value{++last_value_};
    const std::vector<std::byte> data(length, value);
    const std::size_t write = history_.begin_write(offset, length, value);
    co_await device_.write(context, offset, data);
    history_.end_write(write, true);
  }

  Task<void> look(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
    std::vector<std::byte> out(length);
    const ByteHistory::Time began = history_.now();
    co_await device_.read(context, offset, out);
    EXPECT_EQ(history_.complaint(began, offset, out), "");
  }

  BlockDevice& device_;
  std::uint64_t block_;
  std::uint64_t area_;
  std::mt19937 random_{3};
  ByteHistory history_{area_, kInitial};
  std::uint8_t last_value_ = 0;
};

TEST_P(BlockDeviceWrites, AcknowledgedBytesNeverTurnBack) {
  constexpr std::uint64_t kArea = 32 * 1024;
  write(0, Bytes(kArea, kInitial));
  Race race(device(), kArea);
  run_until_done(reactor_, race.run());
  EXPECT_EQ(race.complaint(read(0, kArea)), "");
}

}  // namespace
}  // namespace lunfs::testing
