// What a chain reads of its LVs to answer: no table twice, no byte of an image that need not be
// asked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/open_chain.h"
#include "tests/support/recording_device.h"
#include "tests/support/scattered_vg.h"
#include "tests/support/vhd_builder.h"

namespace lunfs::testing {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using Read = RecordingDevice::Read;

constexpr std::uint32_t kBlockBytes = 16U << 10U;
constexpr std::uint64_t kBlocks = 64;
constexpr std::uint64_t kSectorsABlock = kBlockBytes / kVhdSector;

/// Gives the recorder away while the LV below it lives.
class RecordedLv final : public BlockDevice {
 public:
  explicit RecordedLv(std::unique_ptr<BlockDevice> lv) : lv_(std::move(lv)), recorder_(*lv_) {}
  [[nodiscard]] RecordingDevice& recorder() noexcept { return recorder_; }
  [[nodiscard]] Geometry geometry() const noexcept override { return recorder_.geometry(); }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override {
    return recorder_.read(context, offset, out);
  }
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override {
    return recorder_.write(context, offset, in, flags);
  }
  Task<void> do_flush(RequestContext& context) override { return recorder_.flush(context); }

 private:
  std::unique_ptr<BlockDevice> lv_;
  RecordingDevice recorder_;
};

VhdShape shape(std::uint8_t number, std::optional<VhdParent> parent = std::nullopt) {
  VhdShape out;
  out.size_bytes = kBlocks * kBlockBytes;
  out.block_bytes = kBlockBytes;
  out.uuid = Uuid({number});
  out.parent = std::move(parent);
  return out;
}

std::vector<std::byte> sectors(std::uint64_t count) {
  return std::vector<std::byte>(count * kVhdSector, std::byte{0x44});
}

class ChainReads : public ::testing::Test {
 protected:
  /// Opens the chain of these images, leaf first, and forgets what opening read.
  void open(const std::vector<VhdBuilder>& images) {
    std::vector<std::string> names;
    std::vector<ScatteredVg::Content> volumes;
    for (const VhdBuilder& image : images) {
      constexpr std::uint64_t kExtent = ScatteredVg::kExtentBytes;
      const std::uint64_t extents = (image.smallest_lv_bytes() + kExtent - 1) / kExtent;
      names.push_back("VHD-" + image.shape().uuid.text());
      volumes.push_back({.name = names.back(), .bytes = image.image(extents * kExtent)});
    }
    vg_ = std::make_unique<ScatteredVg>(reactor_, 1, volumes);
    device_ = open_chain(reactor_, cache_, names, "", [&](std::string_view name) {
      auto lv = std::make_unique<RecordedLv>(vg_->open(name));
      recorders_.push_back(&lv->recorder());
      return lv;
    });
    clear();
  }

  void clear() {
    for (RecordingDevice* recorder : recorders_) recorder->clear();
  }

  Task<void> read_one(std::uint64_t offset, std::uint64_t length) {
    std::vector<std::byte> out(length);
    co_await device_->read(context_, offset, out);
  }

  void read(std::uint64_t offset, std::uint64_t length) {
    run_until_done(reactor_, read_one(offset, length));
  }

  [[nodiscard]] const std::vector<Read>& reads_of(std::size_t image) const {
    return recorders_[image]->reads();
  }

  /// How many reads of the image touch the sector at `offset`.
  [[nodiscard]] std::ptrdiff_t times_read(std::size_t image, std::uint64_t offset) const {
    return std::count_if(reads_of(image).begin(), reads_of(image).end(), [&](const Read& one) {
      return one.offset < offset + kVhdSector && offset < one.offset + one.length;
    });
  }

  Reactor reactor_;
  RequestContext context_;
  vhd::MetadataCache cache_;
  std::unique_ptr<ScatteredVg> vg_;
  std::unique_ptr<vhd::Chain> device_;
  std::vector<RecordingDevice*> recorders_;
};

MATCHER_P2(LiesWithin, offset, length, "") {
  return arg.offset >= offset && arg.offset + arg.length <= offset + length;
}

TEST_F(ChainReads, WarmReadOfAFullBlockTouchesOnlyItsData) {
  VhdBuilder image(shape(1));
  image.store(0, sectors(2 * kSectorsABlock));
  open({image});
  read(kBlockBytes, kBlockBytes);
  clear();
  read(kBlockBytes, kBlockBytes);
  EXPECT_THAT(reads_of(0), ::testing::ElementsAre(Read{*image.data_offset(1), kBlockBytes}));
}

TEST_F(ChainReads, WarmReadOfAPartlyStoredBlockTouchesOnlyItsData) {
  VhdBuilder parent(shape(1));
  parent.store(0, sectors(kSectorsABlock));
  VhdBuilder leaf(shape(2, VhdParent{.uuid = Uuid({1}), .vg_name = "", .lv_name = "x"}));
  leaf.store(4, sectors(6));
  open({leaf, parent});
  read(0, kBlockBytes);
  clear();
  read(0, kBlockBytes);
  EXPECT_THAT(reads_of(0), Each(LiesWithin(*leaf.data_offset(0), kBlockBytes)));
  EXPECT_THAT(reads_of(1), Each(LiesWithin(*parent.data_offset(0), kBlockBytes)));
}

TEST_F(ChainReads, LeafThatHoldsTheBlockAsksNoParent) {
  std::vector<VhdBuilder> images;
  for (std::uint8_t number = 10; number > 0; --number) {
    std::optional<VhdParent> parent;
    if (number > 1) {
      parent = {
          .uuid = Uuid({static_cast<std::uint8_t>(number - 1)}), .vg_name = "", .lv_name = "x"};
    }
    images.emplace_back(shape(number, parent));
    images.back().store(0, sectors(kSectorsABlock));
  }
  open(images);
  read(100, kBlockBytes - 200);
  for (std::size_t image = 1; image < images.size(); ++image) {
    EXPECT_THAT(reads_of(image), IsEmpty()) << image;
  }
}

TEST_F(ChainReads, BlockThatTheBatmapCallsCompleteNeedsNoBitmap) {
  for (const auto batmap : {VhdShape::Batmap::kSigned, VhdShape::Batmap::kUnsigned}) {
    VhdShape of_tap = shape(1);
    of_tap.batmap = batmap;
    if (batmap == VhdShape::Batmap::kSigned) of_tap.creator_version = 0x00010001;
    VhdBuilder image(of_tap);
    image.store(0, sectors(kBlocks * kSectorsABlock));  // bytes that the two sums take differently
    recorders_.clear();
    open({image});
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      read(block * kBlockBytes, kBlockBytes);
      EXPECT_EQ(times_read(0, *image.bitmap_offset(block)), 0) << "block " << block;
    }
  }
}

/// Bitmaps that no batmap spares, wanted by many at the same time.
TEST_F(ChainReads, ConcurrentRequestsReadABitmapOnce) {
  VhdShape foreign = shape(1);
  foreign.creator = "vpc ";
  foreign.batmap = VhdShape::Batmap::kNone;
  VhdBuilder image(foreign);
  for (std::uint64_t block = 0; block < kBlocks; ++block) {
    image.store(block * kSectorsABlock, sectors(kSectorsABlock - 1));
  }
  open({image});
  std::vector<Task<void>> reads;
  for (std::uint64_t at = 0; at + 3 * kBlockBytes <= kBlocks * kBlockBytes; at += 4096) {
    reads.push_back(read_one(at, 512));
    if (at % kBlockBytes == 0) reads.push_back(read_one(at, 3 * kBlockBytes));
  }
  run_until_done(reactor_, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(reads)));
  EXPECT_EQ(times_read(0, image.bat_offset()), 1) << "the BAT";
  for (std::uint64_t block = 0; block < kBlocks; ++block) {
    // A command that joins the data on both sides of a bitmap has it in between; it is no look at
    // it.
    const auto alone = std::count(reads_of(0).begin(), reads_of(0).end(),
                                  Read{*image.bitmap_offset(block), image.bitmap_bytes()});
    EXPECT_EQ(alone, 1) << "block " << block;
  }
}

TEST_F(ChainReads, AskingWhatIsAllocatedReadsNoData) {
  VhdBuilder image(shape(1));
  for (std::uint64_t block = 0; block < kBlocks; block += 3) {
    image.store(block * kSectorsABlock + 1, sectors(kSectorsABlock - 2));
  }
  open({image});
  static_cast<void>(
      run_until_done(reactor_, device_->allocated(context_, 0, kBlocks * kBlockBytes)));
  for (std::uint64_t block = 0; block < kBlocks; block += 3) {
    for (std::uint64_t sector = 0; sector < kSectorsABlock; ++sector) {
      EXPECT_EQ(times_read(0, *image.data_offset(block) + sector * kVhdSector), 0);
    }
  }
}

}  // namespace
}  // namespace lunfs::testing
