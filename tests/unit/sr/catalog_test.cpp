#include "volume/sr/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"
#include "tests/support/fault_device.h"
#include "tests/unit/sr/mgt_builder.h"
#include "tests/unit/sr/sr_image.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MgtBuilder;
using ::testing::SizeIs;
using testing::SrImage;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";
const std::string kJournal = "clone_" + kOne + "_1";

class ReadCatalog : public ::testing::Test {
 protected:
  Catalog read() {
    RequestContext context = RequestContext::within(std::chrono::seconds(10));
    const auto vg =
        run_until_done(reactor_, lvm::read_volume_group(context, image_.device(), reactor_));
    return run_until_done(reactor_, read_catalog(context, faulty_, vg, true));
  }

  void fail_reads_of(const std::string& lv, ErrorKind kind) {
    const std::uint64_t begin = image_.offset_of(lv);
    faulty_.fail_matching(
        [begin](const Request& request) {
          return request.operation == Operation::kRead && request.offset >= begin &&
                 request.offset < begin + SrImage::kExtentBytes;
        },
        Error(kind, "the test says no"));
  }

  Reactor reactor_;
  SrImage image_{kVg, {{"MGT"}, {"LV-" + kOne}, {"LV-" + kTwo}}};
  FaultDevice faulty_{reactor_, image_.device()};
};

TEST_F(ReadCatalog, TakesNamesAndFlagsFromMgt) {
  MgtBuilder mgt;
  mgt.slot("first", kOne).slot("base", kTwo, "<managed>0</managed>");
  image_.put("MGT", 0, mgt.text());
  const Catalog catalog = read();
  EXPECT_EQ(catalog.sr_label, "SR & label");
  EXPECT_EQ(catalog.sr_description, "about it");
  ASSERT_THAT(catalog.volumes, SizeIs(1));
  EXPECT_EQ(catalog.volumes.front().label, "first");
  EXPECT_EQ(catalog.volumes.front().size_bytes, SrImage::kExtentBytes);
  EXPECT_EQ(catalog.links.front().name, "first.raw");
  EXPECT_THAT(catalog.lv_names, ElementsAre("MGT", "LV-" + kOne, "LV-" + kTwo));
  EXPECT_THAT(catalog.warnings, IsEmpty());
}

TEST_F(ReadCatalog, WritesNothing) {
  read();
  EXPECT_EQ(image_.device().counts().changes(), 0U);
  EXPECT_EQ(image_.device().counts().flushes, 0U);
}

TEST_F(ReadCatalog, AnEmptyMgtCostsTheNamesOnly) {
  const Catalog catalog = read();
  EXPECT_THAT(catalog.volumes, SizeIs(2));
  EXPECT_THAT(catalog.warnings, ElementsAre("MGT: it is empty"));
}

TEST_F(ReadCatalog, ADamagedMgtCostsTheNamesOnly) {
  image_.put("MGT", 0, std::string(512, 'x'));
  const Catalog catalog = read();
  EXPECT_THAT(catalog.volumes, SizeIs(2));
  EXPECT_THAT(catalog.warnings,
              ElementsAre(AllOf(HasSubstr("MGT"), HasSubstr("78 78 78 78, expected 'XSSM'"))));
}

TEST_F(ReadCatalog, AUsedLengthBeyondTheLvCostsAWarning) {
  MgtBuilder mgt;
  mgt.slot("first", kOne).set_header("XSSM:9999999   :1:2");
  image_.put("MGT", 0, mgt.text());
  const Catalog catalog = read();
  EXPECT_EQ(catalog.volumes.at(0).label, "first");
  EXPECT_THAT(catalog.warnings, Contains(HasSubstr("says 9999999 bytes, but only 65536 are read")));
}

TEST_F(ReadCatalog, AMissingMgtCostsTheNamesOnly) {
  image_.commit({{"other"}, {"LV-" + kOne}});
  const Catalog catalog = read();
  EXPECT_THAT(catalog.volumes, SizeIs(1));
  EXPECT_THAT(catalog.warnings, ElementsAre(HasSubstr("there is no MGT volume")));
}

TEST_F(ReadCatalog, AnMgtThatTheLunCannotReadCostsTheNamesOnly) {
  fail_reads_of("MGT", ErrorKind::kIo);
  const Catalog catalog = read();
  EXPECT_THAT(catalog.volumes, SizeIs(2));
  EXPECT_THAT(catalog.warnings, ElementsAre(HasSubstr("the test says no")));
}

TEST_F(ReadCatalog, ALostSessionIsAnErrorAndNotAWarning) {
  fail_reads_of("MGT", ErrorKind::kUnreachable);
  try {
    read();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  }
}

TEST_F(ReadCatalog, AJournalsPayloadHidesItsVdis) {
  image_.commit({{"MGT"}, {"LV-" + kOne}, {"LV-" + kTwo}, {kJournal, {"journaler"}}});
  image_.put(kJournal, 0, "37 " + kTwo + "_" + std::string(472, ' '));
  const Catalog catalog = read();
  EXPECT_THAT(catalog.volumes, IsEmpty());
}

TEST_F(ReadCatalog, AnUnreadableJournalStillHidesTheVdiOfItsName) {
  image_.commit({{"MGT"}, {"LV-" + kOne}, {"LV-" + kTwo}, {kJournal, {"journaler"}}});
  fail_reads_of(kJournal, ErrorKind::kIo);
  const Catalog catalog = read();
  ASSERT_THAT(catalog.volumes, SizeIs(1));
  EXPECT_EQ(catalog.volumes.front().file_name, kTwo + ".raw");
  EXPECT_THAT(catalog.warnings, Contains(HasSubstr("journal " + kJournal)));
}

TEST_F(ReadCatalog, AVgWithAnotherNameIsPlain) {
  SrImage plain("vg0", {{"root"}, {"MGT"}});
  RequestContext context = RequestContext::within(std::chrono::seconds(10));
  const auto vg =
      run_until_done(reactor_, lvm::read_volume_group(context, plain.device(), reactor_));
  plain.device().reset_counts();
  const Catalog catalog =
      run_until_done(reactor_, read_catalog(context, plain.device(), vg, false));
  EXPECT_EQ(catalog.layout, Layout::kPlain);
  EXPECT_THAT(catalog.volumes, SizeIs(2));
  EXPECT_EQ(plain.device().counts().reads, 0U);
}

}  // namespace
}  // namespace lunfs::sr
