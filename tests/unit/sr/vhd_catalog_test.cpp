// An SR with VHDs from its bytes: heads, tables, what becomes a disk, and how it is opened.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/unit/sr/vhd_sr.h"
#include "volume/lvm/vg_reader.h"
#include "volume/sr/catalog.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using lunfs::testing::VhdBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::fill_block;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kBlockBytes;
using testing::put_vhd;
using testing::small_child;
using testing::small_vhd;
using testing::SrImage;
using ::testing::UnorderedElementsAre;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";
const std::string kBase = "33333333-3333-4333-8333-333333333333";
const std::string kRaw = "44444444-4444-4444-8444-444444444444";
const std::string kFirst = "VHD-" + kOne;
const std::string kSecond = "VHD-" + kTwo;
const std::string kBaseCopy = "VHD-" + kBase;
const std::string kRawBase = "LV-" + kRaw;

/// Two leaves on a base copy, which holds blocks 0 and 1; the first leaf holds 1 and 2.
class VhdCatalog : public ::testing::Test {
 protected:
  void SetUp() override {
    fill_block(base_, 0, 'b');
    fill_block(base_, 1, 'b');
    fill_block(first_, 1, '1');
    fill_block(first_, 2, '1');
    write();
  }

  void write() {
    put_vhd(image_, kBaseCopy, base_);
    put_vhd(image_, kFirst, first_);
    put_vhd(image_, kSecond, second_);
  }

  void read() {
    RequestContext context = RequestContext::within(std::chrono::seconds(10));
    const auto vg =
        run_until_done(reactor_, lvm::read_volume_group(context, image_.device(), reactor_));
    catalog_ = run_until_done(reactor_, read_catalog(context, lun_, vg, true));
  }

  std::vector<std::string> files() {
    read();
    std::vector<std::string> result;
    for (const Volume& volume : catalog_.volumes) result.push_back(volume.file_name);
    return result;
  }

  std::string reason(const std::string& lv_name) const {
    for (const NotShown& one : catalog_.not_shown) {
      if (one.lv_name == lv_name) return (one.faulty ? "faulty: " : "") + one.reason;
    }
    return lv_name + " is not among those not shown";
  }

  const Volume& volume(const std::string& uuid) const {
    const auto found =
        std::find_if(catalog_.volumes.begin(), catalog_.volumes.end(),
                     [&](const Volume& one) { return one.file_name == uuid + ".raw"; });
    return found == catalog_.volumes.end() ? throw std::out_of_range(uuid) : *found;
  }

  void fail_reads_of(const std::string& lv, ErrorKind kind) {
    const std::uint64_t begin = image_.offset_of(lv);
    lun_.fail_matching(
        [begin](const Request& request) {
          return request.operation == Operation::kRead && request.offset >= begin &&
                 request.offset < begin + SrImage::kExtentBytes;
        },
        Error(kind, "the test says no"));
  }

  /// The first bytes of each block, '0' for a zero.
  std::string blocks_of(BlockDevice& disk) {
    RequestContext context = RequestContext::within(std::chrono::seconds(10));
    std::vector<std::byte> bytes(disk.geometry().size_bytes);
    run_until_done(reactor_, disk.read(context, 0, bytes));
    std::string result;
    for (std::size_t i = 0; i < bytes.size(); i += kBlockBytes) {
      result += bytes[i] == std::byte{0} ? '0' : std::to_integer<char>(bytes[i]);
    }
    return result;
  }

  std::unique_ptr<BlockDevice> open(const std::string& uuid) {
    return open_disk(medium_, catalog_.vg, *volume(uuid).disk, false);
  }

  Reactor reactor_;
  SrImage image_{kVg, {{kFirst}, {kSecond}, {kBaseCopy}, {kRawBase}}};
  FaultDevice lun_{reactor_, image_.device()};
  lunfs::testing::VhdShape hidden_base_ = [] {
    lunfs::testing::VhdShape shape = small_vhd(3);
    shape.hidden = true;
    return shape;
  }();
  VhdBuilder base_{hidden_base_};
  VhdBuilder first_{small_child(1, 3, kBaseCopy)};
  VhdBuilder second_{small_child(2, 3, kBaseCopy)};
  vhd::MetadataCache cache_;
  OpenImages images_;
  Medium medium_{reactor_, lun_, cache_, images_};
  Catalog catalog_;
};

TEST_F(VhdCatalog, ShowsLeavesAndKeepsTheirBaseCopyHidden) {
  EXPECT_THAT(files(), UnorderedElementsAre(kOne + ".raw", kTwo + ".raw", kRaw + ".raw"));
  EXPECT_THAT(reason(kBaseCopy), HasSubstr("base copy"));
  EXPECT_EQ(volume(kOne).size_bytes, testing::kSmallDiskBytes);
  EXPECT_THAT(volume(kOne).disk->plan.images, ElementsAre(kFirst, kBaseCopy));
}

TEST_F(VhdCatalog, WritesNothing) {
  read();
  EXPECT_EQ(image_.device().counts().changes(), 0U);
  EXPECT_EQ(image_.device().counts().flushes, 0U);
}

TEST_F(VhdCatalog, CountsTheBlocksOfAChainOnce) {
  read();
  EXPECT_EQ(volume(kOne).allocated_bytes, 3U * kBlockBytes);
  EXPECT_EQ(volume(kTwo).allocated_bytes, 2U * kBlockBytes);
}

TEST_F(VhdCatalog, CountsBlocksOfDifferentSizes) {
  lunfs::testing::VhdShape shape = small_child(2, 3, kBaseCopy);
  shape.block_bytes = 2 * kBlockBytes;
  second_ = VhdBuilder(shape);
  second_.allocate(0);  // blocks 0 and 1 of the base
  second_.allocate(3);  // 6 and 7
  write();
  read();
  EXPECT_EQ(volume(kTwo).allocated_bytes, 4U * kBlockBytes);
}

TEST_F(VhdCatalog, CountsOfALargerParentOnlyWhatTheChildReaches) {
  lunfs::testing::VhdShape shape = small_child(2, 3, kBaseCopy);
  shape.size_bytes = kBlockBytes + 512;
  second_ = VhdBuilder(shape);
  write();
  read();
  EXPECT_EQ(volume(kTwo).allocated_bytes, kBlockBytes + 512U);
}

TEST_F(VhdCatalog, ARawBaseCountsAsFarAsItReaches) {
  lunfs::testing::VhdShape shape = small_child(2, 0, kRawBase);
  shape.size_bytes = SrImage::kExtentBytes + 5 * kBlockBytes;
  second_ = VhdBuilder(shape);
  second_.allocate(0);                                        // in the base's reach
  second_.allocate(SrImage::kExtentBytes / kBlockBytes + 1);  // beyond it
  image_.commit({{kFirst}, {kSecond}, {kBaseCopy}, {kRawBase, {"hidden"}}});
  write();
  read();
  EXPECT_EQ(volume(kTwo).disk->plan.raw_base, kRawBase);
  EXPECT_EQ(volume(kTwo).allocated_bytes, SrImage::kExtentBytes + kBlockBytes);
}

TEST_F(VhdCatalog, AnLvWithoutAVhdIsFaulty) {
  image_.put(kSecond, 0, std::string(SrImage::kExtentBytes, '\0'));
  EXPECT_THAT(files(), UnorderedElementsAre(kOne + ".raw", kRaw + ".raw"));
  EXPECT_THAT(reason(kSecond), AllOf(HasSubstr("faulty: "), HasSubstr("no VHD")));
}

TEST_F(VhdCatalog, ADamagedTableCostsTheDisksThatAreReadThroughIt) {
  image_.put(kFirst, first_.bat_offset(), std::string("\x7f\xff\xff\xff", 4));
  EXPECT_THAT(files(), UnorderedElementsAre(kTwo + ".raw", kRaw + ".raw"));
  EXPECT_THAT(reason(kFirst), HasSubstr("faulty: "));
}

TEST_F(VhdCatalog, ADamagedTableOfABaseCopyCostsAllOfItsDisks) {
  image_.put(kBaseCopy, base_.bat_offset(), std::string("\x7f\xff\xff\xff", 4));
  EXPECT_THAT(files(), ElementsAre(kRaw + ".raw"));
  for (const std::string& lv : {kFirst, kSecond}) {
    EXPECT_THAT(reason(lv), HasSubstr("faulty: " + kBaseCopy + " below it: ")) << lv;
  }
  EXPECT_THAT(reason(kBaseCopy), HasSubstr("base copy"));
}

TEST_F(VhdCatalog, AHeadThatTheLunCannotReadIsThatImagesFault) {
  fail_reads_of(kSecond, ErrorKind::kIo);
  EXPECT_THAT(files(), UnorderedElementsAre(kOne + ".raw", kRaw + ".raw"));
  EXPECT_EQ(reason(kSecond), "faulty: the test says no");
}

TEST_F(VhdCatalog, ALostSessionIsAnError) {
  fail_reads_of(kSecond, ErrorKind::kUnreachable);
  try {
    read();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  }
}

TEST_F(VhdCatalog, LocatorsAreReadOnlyWhereTheHeadersNameIsNobodys) {
  read();
  EXPECT_THAT(volume(kOne).disk->heads->at(kFirst).parent_names, IsEmpty());
  first_ = VhdBuilder(small_child(1, 3, "VHD-99999999-9999-4999-8999-999999999999"));
  write();
  read();
  EXPECT_THAT(reason(kFirst), HasSubstr("VHD-99999999-9999-4999-8999-999999999999 is not in"));
  EXPECT_THAT(volume(kTwo).disk->heads->at(kFirst).parent_names,
              ElementsAre("VHD-99999999-9999-4999-8999-999999999999",
                          "VHD-99999999-9999-4999-8999-999999999999",
                          "VHD-99999999-9999-4999-8999-999999999999"));
}

TEST_F(VhdCatalog, WasteIsNotLookedThrough) {
  lunfs::testing::VhdShape shape = small_vhd(2);
  shape.hidden = true;
  second_ = VhdBuilder(shape);
  write();
  image_.put(kSecond, second_.bat_offset(), std::string("\x7f\xff\xff\xff", 4));
  read();
  EXPECT_THAT(reason(kSecond), HasSubstr("waste"));
}

TEST_F(VhdCatalog, ManyVhdsAreAllLookedInto) {
  std::vector<SrImage::Lv> lvs;
  for (int i = 0; i < 60; ++i) {
    lvs.push_back({"VHD-" + std::to_string(10000000 + i) + "-1111-4111-8111-111111111111"});
  }
  image_.commit(lvs);
  for (std::size_t i = 0; i < lvs.size(); ++i) {
    put_vhd(image_, lvs[i].name, VhdBuilder(small_vhd(static_cast<std::uint8_t>(i + 1))));
  }
  EXPECT_EQ(files().size(), 60U);
}

// --- opening ---

TEST_F(VhdCatalog, AnOpenedDiskGivesItsChainsBytes) {
  read();
  EXPECT_EQ(blocks_of(*open(kOne)), "b1100000");
  EXPECT_EQ(blocks_of(*open(kTwo)), "bb000000");
}

TEST_F(VhdCatalog, AnOpenedDiskStandsOnItsRawBase) {
  second_ = VhdBuilder(small_child(2, 0, kRawBase));
  fill_block(second_, 2, '2');
  write();
  image_.put(kRawBase, 0, std::string(SrImage::kExtentBytes, 'r'));
  read();
  EXPECT_EQ(blocks_of(*open(kTwo)), "rr2rrrrr");
}

TEST_F(VhdCatalog, OpeningReadsNothing) {
  read();
  image_.device().reset_counts();
  const auto one = open(kOne);
  const auto two = open(kRaw);
  EXPECT_EQ(image_.device().counts().reads, 0U);
}

TEST_F(VhdCatalog, AChainIsReadOnlyARawDiskAsFarAsAsked) {
  read();
  EXPECT_TRUE(open(kOne)->geometry().read_only);
  EXPECT_FALSE(open(kRaw)->geometry().read_only);
  EXPECT_TRUE(open_disk(medium_, catalog_.vg, *volume(kRaw).disk, true)->geometry().read_only);
}

TEST_F(VhdCatalog, ChainsShareTheImagesOfTheirCommonBase) {
  read();
  const auto one = open(kOne);
  const auto two = open(kTwo);
  EXPECT_EQ(images_.count(), 1U);  // leaves are nobody else's
  blocks_of(*one);
  const std::size_t tables = cache_.counts().tables;
  blocks_of(*two);  // the base's tables are there, only the second leaf's BAT and batmap are new
  EXPECT_EQ(cache_.counts().tables, tables + 2);
}

TEST_F(VhdCatalog, ALeafOpenedAnewIsNotReadFromOldTables) {
  read();
  const auto before = open(kOne);
  EXPECT_EQ(blocks_of(*before), "b1100000");
  fill_block(first_, 6, '1');  // as a host that has it attached would
  write();
  EXPECT_EQ(blocks_of(*open(kOne)), "b1100010");
}

TEST_F(VhdCatalog, ClosedDisksLetTheirImagesGo) {
  read();
  open(kOne);
  EXPECT_EQ(images_.count(), 0U);
}

TEST_F(VhdCatalog, ImagesAreNotSharedAcrossACommit) {
  read();
  const auto before = open(kOne);
  EXPECT_EQ(blocks_of(*before), "b1100000");
  fill_block(base_, 5, 'B');  // as a coalesce would: the head stays as it is
  image_.commit({{kFirst}, {kSecond}, {kBaseCopy}, {kRawBase}});
  write();
  read();
  const auto after = open(kOne);
  EXPECT_EQ(images_.count(), 2U);
  EXPECT_EQ(blocks_of(*after), "b1100B00");
}

TEST_F(VhdCatalog, APlanThatCannotBeReadIsNotOpened) {
  read();
  DiskSource source = *volume(kOne).disk;
  source.plan.fault = "broken";
  EXPECT_THROW(static_cast<void>(open_disk(medium_, catalog_.vg, source, true)), Error);
  EXPECT_THROW(static_cast<void>(open_disk(medium_, catalog_.vg, DiskSource{}, true)), Error);
}

}  // namespace
}  // namespace lunfs::sr
