// Errors of the storage below a chain: they cost what needs the bad place, and nothing else.
#include <gtest/gtest.h>

#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"
#include "tests/support/vhd_builder.h"
#include "volume/vhd/chain.h"

namespace lunfs::vhd {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::MemoryDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using lunfs::testing::VhdBuilder;
using lunfs::testing::VhdShape;

constexpr std::uint64_t kSector = 512;

/// Lets a chain own a device that a test keeps in its hand.
class Lent final : public BlockDevice {
 public:
  explicit Lent(BlockDevice& device) : device_(device) {}
  [[nodiscard]] Geometry geometry() const noexcept override { return device_.geometry(); }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override {
    return device_.read(context, offset, out);
  }
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override {
    return device_.write(context, offset, in, flags);
  }
  Task<void> do_flush(RequestContext& context) override { return device_.flush(context); }

 private:
  BlockDevice& device_;
};

/// A dynamic image whose first block holds sectors 0 and 2, with a gap between them.
class ChainOverBadStorage : public ::testing::Test {
 protected:
  void SetUp() override {
    VhdShape shape;
    shape.size_bytes = 1U << 20U;
    shape.block_bytes = 64U << 10U;
    VhdBuilder builder(shape);
    const std::vector<std::byte> data(kSector, std::byte{'d'});
    builder.store(0, data);
    builder.store(2, data);
    data_offset_ = builder.data_offset(0).value();
    memory_.emplace(builder.image(builder.smallest_lv_bytes()));
    lv_.emplace(reactor_, *memory_);
    RequestContext context;
    auto image = std::make_shared<Image>();
    image->lv = std::make_unique<Lent>(*lv_);
    image->head = run_until_done(reactor_, read_image_head(context, *lv_));
    image->number = cache_.new_image();
    chain_.emplace(reactor_, cache_, Images{image}, nullptr);
  }

  void fail_sector(std::uint64_t sector, ErrorKind kind) {
    const std::uint64_t bad = data_offset_ + sector * kSector;
    lv_->fail_matching(
        [bad](const Request& r) {
          return r.operation == Operation::kRead && r.offset < bad + kSector &&
                 r.offset + r.length > bad;
        },
        Error(kind, "bad place"));
  }

  std::vector<std::byte> read(std::uint64_t sectors) {
    std::vector<std::byte> out(sectors * kSector);
    RequestContext context;
    run_until_done(reactor_, chain_->read(context, 0, out));
    return out;
  }

  Reactor reactor_;
  MetadataCache cache_;
  std::optional<MemoryDevice> memory_;
  std::optional<FaultDevice> lv_;
  std::optional<Chain> chain_;
  std::uint64_t data_offset_ = 0;
};

TEST_F(ChainOverBadStorage, ABadPlaceThatNobodyAskedForFailsNothing) {
  fail_sector(1, ErrorKind::kIo);
  std::vector<std::byte> expected(3 * kSector, std::byte{'d'});
  std::fill_n(expected.begin() + kSector, kSector, std::byte{0});
  EXPECT_EQ(read(3), expected);
}

TEST_F(ChainOverBadStorage, ABadPlaceOfTheDiskIsAnError) {
  fail_sector(2, ErrorKind::kIo);
  EXPECT_THROW(read(3), Error);
  EXPECT_EQ(read(1), std::vector<std::byte>(kSector, std::byte{'d'}));
}

TEST_F(ChainOverBadStorage, ALostSessionIsNotAskedAgain) {
  fail_sector(1, ErrorKind::kUnreachable);
  const std::size_t before = memory_->counts().reads;
  EXPECT_THROW(read(3), Error);
  EXPECT_LE(memory_->counts().reads - before, 5U);  // BAT, batmap, bitmap, the head twice
}

}  // namespace
}  // namespace lunfs::vhd
