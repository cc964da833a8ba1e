// Disks of an SR that changes underneath, as the storage manager changes it.
#include "volume/sr/disks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/support/vhd_builder.h"
#include "tests/unit/sr/sr_image.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using lunfs::testing::VhdBuilder;
using lunfs::testing::VhdShape;
using testing::SrImage;
using namespace std::chrono_literals;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kVdi = "11111111-1111-4111-8111-111111111111";
const std::string kLeaf = "VHD-" + kVdi;
const std::string kMiddle = "VHD-22222222-2222-4222-8222-222222222222";
const std::string kBase = "VHD-33333333-3333-4333-8333-333333333333";
const std::string kRawLeaf = "LV-" + kVdi;
const std::string kRawBase = "LV-33333333-3333-4333-8333-333333333333";
const std::string kOther = "VHD-44444444-4444-4444-8444-444444444444";
const Uuid kLeafUuid = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
const Uuid kMiddleUuid = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000002");
const Uuid kBaseUuid = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000003");
constexpr std::uint64_t kDiskBytes = 32 << 10;
constexpr std::uint64_t kSector = 512;

/// A disk of 8 blocks, of which an extent has room for four.
VhdBuilder vhd(const Uuid& uuid, const Uuid& parent_uuid, const std::string& parent_lv,
               bool hidden = false) {
  VhdShape shape;
  shape.size_bytes = kDiskBytes;
  shape.block_bytes = 4096;
  shape.uuid = uuid;
  shape.hidden = hidden;
  if (!parent_lv.empty())
    shape.parent = {.uuid = parent_uuid, .vg_name = kVg, .lv_name = parent_lv};
  return VhdBuilder(shape);
}

void store(VhdBuilder& vhd, std::uint64_t sector, char content, std::size_t count = 1) {
  const std::string text(count * kSector, content);
  vhd.store(sector, as_byte_span(text));
}

class ChangingSr : public ::testing::Test {
 protected:
  void put(const std::string& lv, const VhdBuilder& vhd) {
    const std::vector<std::byte> bytes = vhd.image(SrImage::kExtentBytes);
    image_->put(lv, 0, as_text(bytes));
  }

  void start(std::vector<SrImage::Lv> lvs) { image_.emplace(kVg, std::move(lvs)); }

  void mount() {
    lun_.emplace(reactor_, image_->device());
    RequestContext context = RequestContext::within(10s);
    catalog_ = run_until_done(reactor_, read_current_catalog(context, *lun_, reactor_, false));
    disks_.emplace(reactor_, *lun_, *catalog_, vhd::MetadataCache::kDefaultBytes);
    ASSERT_EQ(catalog_->volumes.size(), 1U);
    disk_ = disks_->open_volume(catalog_->vg, catalog_->volumes.front(), true);
    ASSERT_NE(disk_.live, nullptr);
  }

  /// The first character of every sector.
  std::string read() {
    std::vector<std::byte> bytes(disk_.device->geometry().size_bytes);
    RequestContext context = RequestContext::within(10s);
    run_until_done(reactor_, disk_.device->read(context, 0, bytes));
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += kSector) {
      const char c = std::to_integer<char>(bytes[at]);
      text += c == 0 ? '.' : c;
    }
    return text;
  }

  /// Calls `action` in the middle of the n-th read of the LUN from now.
  void at_read(int n, std::function<void()> action) {
    lun_->fail_matching(
        [n, action = std::move(action)](const Request& request) mutable {
          if (request.operation == Operation::kRead && --n == 0) action();
          return false;
        },
        Error(ErrorKind::kInternal, "never thrown"));
  }

  /// The leaf becomes a base under another name; a new leaf holds one sector.
  void snapshot() {
    VhdBuilder leaf = vhd(kLeafUuid, kBaseUuid, kBase);
    store(leaf, 2, 'n');
    image_->commit({{kBase}, {kLeaf}});
    put(kLeaf, leaf);
  }

  /// The middle's sectors go to the base, the leaf to the base, the middle to another VDI.
  void coalesce() {
    VhdBuilder base = vhd(kBaseUuid, {}, {});
    store(base, 0, 'b', 8);
    store(base, 8, 'm', 4);
    put(kBase, base);
    VhdBuilder leaf = vhd(kLeafUuid, kBaseUuid, kBase);
    store(leaf, 0, 'l');
    put(kLeaf, leaf);
    VhdBuilder other = vhd(kMiddleUuid, {}, {});
    store(other, 0, 'X', 16);
    image_->commit({{kBase}, {kOther}, {kLeaf}});
    put(kOther, other);
  }

  Reactor reactor_;
  std::optional<SrImage> image_;
  std::optional<FaultDevice> lun_;
  std::shared_ptr<const Catalog> catalog_;
  std::optional<Disks> disks_;
  Disk disk_;
};

class SnapshotUnderneath : public ChangingSr, public ::testing::WithParamInterface<int> {};

TEST_P(SnapshotUnderneath, GivesTheOldOrTheNewContent) {
  start({{kLeaf}});
  VhdBuilder old = vhd(kBaseUuid, {}, {});
  store(old, 0, 'o', 8);
  put(kLeaf, old);
  mount();
  at_read(GetParam(), [this] { snapshot(); });
  const std::string before = "oooooooo" + std::string(56, '.');
  const std::string after = "oonooooo" + std::string(56, '.');
  EXPECT_THAT(read(), ::testing::AnyOf(before, after));
  EXPECT_EQ(read(), after);
}

INSTANTIATE_TEST_SUITE_P(AtEveryRead, SnapshotUnderneath, ::testing::Range(1, 5));

class CoalesceUnderneath : public ChangingSr, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    start({{kBase}, {kMiddle}, {kLeaf}});
    VhdBuilder base = vhd(kBaseUuid, {}, {}, true);
    store(base, 0, 'b', 8);
    put(kBase, base);
    VhdBuilder middle = vhd(kMiddleUuid, kBaseUuid, kBase, true);
    store(middle, 8, 'm', 4);
    put(kMiddle, middle);
    VhdBuilder leaf = vhd(kLeafUuid, kMiddleUuid, kMiddle);
    store(leaf, 0, 'l');
    put(kLeaf, leaf);
    mount();
  }

  const std::string content_ = "lbbbbbbbmmmm" + std::string(52, '.');
};

TEST_P(CoalesceUnderneath, ChangesNoContent) {
  at_read(GetParam(), [this] { coalesce(); });
  EXPECT_EQ(read(), content_);
  EXPECT_EQ(read(), content_);
}

INSTANTIATE_TEST_SUITE_P(AtEveryRead, CoalesceUnderneath, ::testing::Range(1, 12));

TEST_F(ChangingSr, RawDiskThatASnapshotMadeAVhdIsFollowed) {
  start({{kRawLeaf}});
  image_->put(kRawLeaf, 0, std::string(SrImage::kExtentBytes, 'r'));
  mount();
  EXPECT_EQ(read(), std::string(128, 'r'));
  VhdShape shape;
  shape.size_bytes = SrImage::kExtentBytes;
  shape.block_bytes = 4096;
  shape.uuid = kLeafUuid;
  shape.parent = {.uuid = {}, .vg_name = kVg, .lv_name = kRawBase};
  VhdBuilder leaf(shape);
  store(leaf, 1, 'n');
  image_->commit({{kRawBase, {"hidden"}}, {kLeaf}});
  put(kLeaf, leaf);
  EXPECT_EQ(read(), "rn" + std::string(126, 'r'));
}

TEST_F(ChangingSr, RelinkWithoutACommitIsNoticedByTheHead) {
  start({{kBase}, {kLeaf}});
  VhdBuilder base = vhd(kBaseUuid, {}, {});
  store(base, 0, 'b', 8);
  put(kBase, base);
  VhdBuilder leaf = vhd(kLeafUuid, kBaseUuid, kBase);
  store(leaf, 0, 'l');
  put(kLeaf, leaf);
  RequestContext context = RequestContext::within(10s);
  lun_.emplace(reactor_, image_->device());
  catalog_ = run_until_done(reactor_, read_current_catalog(context, *lun_, reactor_, false));
  disks_.emplace(reactor_, *lun_, *catalog_, vhd::MetadataCache::kDefaultBytes);
  const auto volume = std::find_if(catalog_->volumes.begin(), catalog_->volumes.end(),
                                   [](const Volume& v) { return v.lv_name == kLeaf; });
  ASSERT_NE(volume, catalog_->volumes.end());
  disk_ = disks_->open_volume(catalog_->vg, *volume, true);
  VhdBuilder alone = vhd(kLeafUuid, {}, {});
  store(alone, 4, 'a');
  put(kLeaf, alone);
  EXPECT_EQ(read(), "....a" + std::string(59, '.'));
}

TEST_F(ChangingSr, RenewalShowsWhatAHostHasWrittenSince) {
  start({{kLeaf}});
  VhdBuilder leaf = vhd(kLeafUuid, {}, {});
  store(leaf, 0, 'o');
  put(kLeaf, leaf);
  mount();
  EXPECT_EQ(read(), "o" + std::string(63, '.'));
  store(leaf, 1, 'n');   // in a block whose bitmap is cached
  store(leaf, 16, 'n');  // in a block that was not there
  put(kLeaf, leaf);
  disk_.live->renew();
  EXPECT_EQ(read(), "on" + std::string(14, '.') + "n" + std::string(47, '.'));
}

TEST_F(ChangingSr, CatalogIsOfOneState) {
  start({{kLeaf}});
  VhdBuilder leaf = vhd(kLeafUuid, {}, {});
  store(leaf, 0, 'o');
  put(kLeaf, leaf);
  lun_.emplace(reactor_, image_->device());
  at_read(4, [this, leaf] {
    image_->commit({{kOther}, {kLeaf}});
    put(kLeaf, leaf);
  });
  RequestContext context = RequestContext::within(10s);
  catalog_ = run_until_done(reactor_, read_current_catalog(context, *lun_, reactor_, false));
  EXPECT_EQ(catalog_->vg->header.seqno, 2U);
}

TEST_F(ChangingSr, CatalogOfAnSrThatNeverRestsIsBusy) {
  start({{kLeaf}});
  lun_.emplace(reactor_, image_->device());
  lun_->fail_matching(
      [this](const Request& request) {
        if (request.offset == image_->offset_of(kLeaf)) image_->commit({{kLeaf}});
        return false;
      },
      Error(ErrorKind::kInternal, "never thrown"));
  RequestContext context = RequestContext::within(10s);
  try {
    run_until_done(reactor_, read_current_catalog(context, *lun_, reactor_, false));
    FAIL() << "a catalog was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  }
}

}  // namespace
}  // namespace lunfs::sr
