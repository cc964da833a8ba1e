#include "volume/sr/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"
#include "tests/support/memory_device.h"
#include "tests/unit/sr/mgt_builder.h"
#include "tests/unit/sr/sr_image.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::MemoryDevice;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MgtBuilder;
using testing::SrImage;

const std::string kUuid = "7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kVg = "VG_XenStorage-" + kUuid;
const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";
const std::string kThree = "33333333-3333-4333-8333-333333333333";

Summary summary_of(BlockDevice& device) {
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::seconds(10));
  return run_until_done(reactor, summarize(context, device, reactor));
}

constexpr std::uint64_t kMiB = 1U << 20U;

void put(BlockDevice& device, std::uint64_t offset, std::string_view text) {
  Reactor reactor;
  RequestContext context;
  run_until_done(reactor, device.write(context, offset, as_byte_span(text)));
}

TEST(Summary, AnSrHasNamesAndCountsFromMgt) {
  SrImage image(kVg, {{"MGT"}, {"LV-" + kOne}, {"VHD-" + kTwo}, {"VHD-" + kThree}, {"other"}});
  MgtBuilder mgt;
  mgt.slot("first", kOne).slot("base", kTwo, "<managed>0</managed>").slot("third", kThree);
  image.put("MGT", 0, mgt.text());
  const Summary summary = summary_of(image.device());
  EXPECT_EQ(summary.kind, Summary::Kind::kSr);
  EXPECT_EQ(summary.uuid->text(), kUuid);
  EXPECT_EQ(summary.vdis, 2U);
  EXPECT_FALSE(summary.has_pool_metadata);
  EXPECT_THAT(summary.warnings, IsEmpty());
}

TEST(Summary, PoolMetadataIsNoticed) {
  SrImage image(kVg, {{"MGT"}, {"LV-" + kOne}});
  MgtBuilder mgt;
  mgt.slot("first", kOne, "<type>metadata</type>");
  image.put("MGT", 0, mgt.text());
  EXPECT_TRUE(summary_of(image.device()).has_pool_metadata);
}

TEST(Summary, WithoutMgtEveryVdiCounts) {
  SrImage image(kVg, {{"LV-" + kOne}, {"VHD-" + kTwo}, {"other"}});
  const Summary summary = summary_of(image.device());
  EXPECT_EQ(summary.vdis, 2U);
  EXPECT_THAT(summary.warnings, ElementsAre("there is no MGT volume"));
}

TEST(Summary, ADamagedMgtCostsNamesOnly) {
  SrImage image(kVg, {{"MGT"}, {"LV-" + kOne}});
  image.put("MGT", 0, "nonsense");
  const Summary summary = summary_of(image.device());
  EXPECT_EQ(summary.vdis, 1U);
  EXPECT_THAT(summary.warnings, ElementsAre(HasSubstr("MGT: ")));
}

TEST(Summary, AnotherVgIsNoSr) {
  SrImage image("data", {{"disk"}});
  const Summary summary = summary_of(image.device());
  EXPECT_EQ(summary.kind, Summary::Kind::kVg);
  EXPECT_EQ(summary.vg->name, "data");
  EXPECT_FALSE(summary.uuid);
}

TEST(Summary, ZerosAtBothEndsAreEmpty) {
  MemoryDevice device(4 * kMiB);
  EXPECT_EQ(summary_of(device).kind, Summary::Kind::kEmpty);
}

TEST(Summary, BytesAtTheEndAreSomething) {
  MemoryDevice device(4 * kMiB);
  put(device, 4 * kMiB - 512, "EFI PART");
  const Summary summary = summary_of(device);
  EXPECT_EQ(summary.kind, Summary::Kind::kUnknown);
  EXPECT_EQ(summary.looks_like, "");
}

TEST(Summary, APartitionTableIsNamed) {
  MemoryDevice device(4 * kMiB);
  put(device, 510, "\x55\xaa");
  EXPECT_EQ(summary_of(device).looks_like, "an MBR partition table or boot sector");
  put(device, 512, "EFI PART");
  EXPECT_EQ(summary_of(device).looks_like, "a GPT partition table");
}

TEST(Summary, ALunSmallerThanALabelIsLookedAtAllTheSame) {
  MemoryDevice device(1024);
  EXPECT_EQ(summary_of(device).kind, Summary::Kind::kEmpty);
  put(device, 0, "XFSB");
  EXPECT_EQ(summary_of(device).looks_like, "an XFS file system");
}

TEST(Summary, ADamagedLabelIsAnErrorAndNotEmpty) {
  SrImage image(kVg, {{"MGT"}});
  put(image.device(), 512 + 24, "XXXX");  // inside the label's sector
  try {
    summary_of(image.device());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace lunfs::sr
