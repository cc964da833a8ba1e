// Chains as chance makes them, against what is known of them from their making. A failure names the
// seed; LUNFS_TEST_SEED=N runs that one alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/open_chain.h"
#include "tests/support/random_chain.h"
#include "tests/support/yield.h"

namespace lunfs::testing {
namespace {

constexpr std::uint32_t kSeedsATest = 50;
constexpr std::uint32_t kTests = 10;
constexpr std::uint64_t kSmallCacheBytes = 64U << 10U;

/// A range of the disk, in bytes.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// One chain under test, and requests that chance makes.
class Trial {
 public:
  explicit Trial(std::uint32_t seed) : chain_(reactor_, seed), random_(seed) {}

  void run() {
    open();
    read_ranges(12);
    read_whole();
    check_allocated();
    read_after_small_cache();
    cancel_some();
    lose_an_lv();
  }

  [[nodiscard]] const std::string& description() const { return chain_.description(); }

 private:
  [[nodiscard]] const ChainModel& model() const { return chain_.model(); }
  [[nodiscard]] std::uint64_t size() const { return model().content.size(); }

  /// Anew, with nothing cached.
  void open(std::size_t cache_bytes = vhd::MetadataCache::kDefaultBytes) {
    device_.reset();
    cache_ = std::make_unique<vhd::MetadataCache>(cache_bytes);
    device_ = open_chain(reactor_, *cache_, chain_);
    ASSERT_EQ(device_->geometry().size_bytes, size());
    ASSERT_EQ(device_->geometry().block_size_bytes, 1U);
    ASSERT_TRUE(device_->geometry().read_only);
  }

  /// Short ones are as likely as long ones.
  Range some_range() {
    const std::uint64_t most = std::min<std::uint64_t>(size(), 1ULL << (random_() % 18));
    const std::uint64_t length = 1 + random_() % most;
    const std::uint64_t last = size() - length;
    return {random_() % 8 == 0 ? last : random_() % (last + 1), length};
  }

  [[nodiscard]] ConstIoSpan expected(Range range) const {
    return ConstIoSpan(model().content).subspan(range.offset, range.length);
  }

  Task<void> read_one(Range range) {
    std::vector<std::byte> out(range.length, std::byte{0xA5});
    co_await device_->read(context_, range.offset, out);
    const ConstIoSpan right = expected(range);
    const auto place = std::mismatch(out.begin(), out.end(), right.begin());
    EXPECT_EQ(place.first, out.end())
        << "byte " << range.offset + static_cast<std::uint64_t>(place.first - out.begin())
        << ", read with " << range.length << " bytes at " << range.offset;
  }

  /// So many times several ranges at once, which may overlap.
  void read_ranges(int times) {
    for (; times > 0; --times) {
      std::vector<Task<void>> reads;
      for (std::size_t i = 1 + random_() % 16; i > 0; --i) reads.push_back(read_one(some_range()));
      run_until_done(reactor_, all_of(std::move(reads)));
    }
  }

  void read_whole() { run_until_done(reactor_, read_one({0, size()})); }

  static Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

  void check_allocated() {
    check_allocated_of({0, size()});
    for (int i = 0; i < 8; ++i) check_allocated_of(some_range());
  }

  void check_allocated_of(Range range) {
    const std::vector<Extent> runs =
        run_until_done(reactor_, device_->allocated(context_, range.offset, range.length));
    std::uint64_t at = range.offset;
    std::optional<bool> before;
    for (const Extent& run : runs) {
      ASSERT_EQ(run.offset, at) << "no gap and no overlap";
      ASSERT_GT(run.length, 0U);
      ASSERT_NE(before, run.hole) << "neighbours differ";
      at += run.length;
      before = run.hole;
      check_run(run);
    }
    ASSERT_EQ(at, range.offset + range.length) << "the whole range";
  }

  /// The model's holes exactly, which also says that every hole reads as zeros.
  void check_run(const Extent& run) {
    for (std::uint64_t sector = run.offset / kVhdSector;
         sector * kVhdSector < run.offset + run.length; ++sector) {
      ASSERT_EQ(run.hole, !model().stored[sector]) << "sector " << sector;
    }
    const ConstIoSpan bytes = expected({run.offset, run.length});
    ASSERT_TRUE(!run.hole || all_zero(bytes));
  }

  void read_after_small_cache() {
    open(kSmallCacheBytes);
    read_ranges(6);
    read_whole();
    read_whole();
    check_allocated_of({0, size()});
  }

  /// Of reads that wait for the same tables some give up: the others get theirs all the same.
  void cancel_some() {
    open();
    Cancellation cancellation;
    RequestContext impatient{.cancellation = &cancellation};
    std::vector<Task<void>> tasks;
    const Range range = some_range();
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(read_or_cancelled(impatient, range));
      tasks.push_back(read_one(range));
      tasks.push_back(read_one(some_range()));
    }
    tasks.push_back(cancel_after(cancellation, random_() % 40));
    run_until_done(reactor_, all_of(std::move(tasks)));
  }

  Task<void> read_or_cancelled(RequestContext& context, Range range) {
    std::vector<std::byte> out(range.length);
    bool cancelled = false;
    try {
      co_await device_->read(context, range.offset, out);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) throw;
      cancelled = true;
    }
    const ConstIoSpan right = expected(range);
    EXPECT_TRUE(cancelled || std::equal(out.begin(), out.end(), right.begin()));
  }

  Task<void> cancel_after(Cancellation& cancellation, std::uint64_t turns) {
    for (; turns > 0; --turns) co_await Yield{reactor_};
    cancellation.request();
  }

  /// One LV gives errors: what it holds is gone, what is found above it is not.
  void lose_an_lv() {
    std::vector<std::string> lvs = chain_.images();
    if (!chain_.raw_base().empty()) lvs.push_back(chain_.raw_base());
    const auto lost = static_cast<std::uint8_t>(random_() % lvs.size());
    open();
    chain_.vg().lun().fail_matching(chain_.vg().touching(lvs[lost]), Error(ErrorKind::kIo, "lost"));
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t sector = random_() % (size() / kVhdSector);
      const std::uint8_t deepest = model().deepest[sector];
      if (deepest < lost) {
        run_until_done(reactor_, read_one({sector * kVhdSector, kVhdSector}));
      } else if (deepest == lost && model().stored[sector]) {
        EXPECT_EQ(failure_of(sector), ErrorKind::kIo) << "sector " << sector << " in LV " << +lost;
      }
    }
    chain_.vg().lun().heal();
    read_ranges(2);
    read_whole();
  }

  std::optional<ErrorKind> failure_of(std::uint64_t sector) {
    std::vector<std::byte> out(kVhdSector);
    try {
      run_until_done(reactor_, device_->read(context_, sector * kVhdSector, out));
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  }

  Reactor reactor_;
  RequestContext context_;
  RandomChain chain_;
  std::mt19937 random_;
  std::unique_ptr<vhd::MetadataCache> cache_;
  std::unique_ptr<vhd::Chain> device_;
};

void try_seed(std::uint32_t seed) {
  Trial trial(seed);
  SCOPED_TRACE(trial.description());
  try {
    trial.run();
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

class RandomChains : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomChains, ReadAsTheyWereMade) {
  if (const char* chosen = std::getenv("LUNFS_TEST_SEED")) {
    const auto seed = static_cast<std::uint32_t>(std::strtoul(chosen, nullptr, 10));
    if (seed / kSeedsATest % kTests == GetParam()) try_seed(seed);
    return;
  }
  for (std::uint32_t i = 0; i < kSeedsATest && !HasFailure(); ++i) {
    try_seed(GetParam() * kSeedsATest + i);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomChains, ::testing::Range(0U, kTests));

}  // namespace
}  // namespace lunfs::testing
