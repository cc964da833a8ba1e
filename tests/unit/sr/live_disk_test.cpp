#include "volume/sr/live_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/fault_device.h"
#include "tests/unit/sr/sr_image.h"
#include "volume/lvm/lv_device.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using ::testing::HasSubstr;
using testing::SrImage;
using namespace std::chrono_literals;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kDisk = "LV-11111111-1111-4111-8111-111111111111";
const std::string kOther = "LV-22222222-2222-4222-8222-222222222222";
const std::string kMine = "the disk's own bytes";
const std::string kForeign = "another LV's bytes!!";
constexpr auto kPatience = 300ms;
constexpr std::uint64_t kHeaderAt = 4096;

class ReadingLive : public ::testing::Test {
 protected:
  void SetUp() override {
    image_.put(kDisk, 0, kMine);
    image_.put(kOther, 0, kForeign);
    RequestContext context = RequestContext::within(10s);
    const auto vg = run_until_done(reactor_, lvm::read_volume_group(context, lun_, reactor_));
    sr_.emplace(reactor_, lun_, vg);
    disk_.emplace(*sr_, vg, device_of(vg), opener(), kPatience);
  }

  std::unique_ptr<BlockDevice> device_of(const std::shared_ptr<const lvm::VolumeGroup>& vg) {
    const lvm::LogicalVolume* lv = vg->find(kDisk);
    if (lv == nullptr) throw Error(ErrorKind::kNotFound, "the LV is gone");
    return std::make_unique<lvm::LvDevice>(lun_, vg, *lv, true);
  }

  LiveDisk::Opener opener() {
    return [this](RequestContext&, std::shared_ptr<const lvm::VolumeGroup> vg) {
      return open(std::move(vg));
    };
  }

  Task<std::unique_ptr<BlockDevice>> open(std::shared_ptr<const lvm::VolumeGroup> vg) {
    ++openings_;
    if (open_fails_) throw Error(*open_fails_);
    co_return device_of(vg);
  }

  /// Calls `action` when the LUN is asked for `offset` for the n-th time (1 = the next).
  void before_read_of(std::uint64_t offset, int n, std::function<void()> action) {
    lun_.fail_matching(
        [offset, n, action = std::move(action)](const Request& request) mutable {
          if (request.operation == Operation::kRead && request.offset == offset && --n == 0)
            action();
          return false;
        },
        Error(ErrorKind::kInternal, "never thrown"));
  }

  std::string read() {
    std::string text(kMine.size(), '\0');
    RequestContext context = RequestContext::within(10s);
    run_until_done(reactor_, disk_->read(context, 0, std::as_writable_bytes(std::span(text))));
    return text;
  }

  std::string failure_of_read() {
    try {
      return "read: " + read();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
      return error.message();
    }
  }

  Reactor reactor_;
  SrImage image_{kVg, {{kDisk}, {kOther}}};
  FaultDevice lun_{reactor_, image_.device()};
  std::optional<LiveSr> sr_;
  std::optional<LiveDisk> disk_;
  int openings_ = 0;
  std::optional<Error> open_fails_;
};

TEST_F(ReadingLive, QuietSrIsReadOnceAndNotOpenedAnew) {
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 0);
}

TEST_F(ReadingLive, ExtentsThatBecameAnotherLvsAreReadAtTheirNewPlace) {
  image_.commit({{kOther}, {kDisk}});  // the two have changed places
  image_.put(kDisk, 0, kMine);
  image_.put(kOther, 0, kForeign);
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 1);
}

TEST_F(ReadingLive, CommitWhileTheBytesAreReadIsNoticed) {
  const std::uint64_t old_place = image_.offset_of(kDisk);
  before_read_of(old_place, 1, [this] {
    image_.commit({{kOther}, {kDisk}});
    image_.put(kDisk, 0, kMine);
    image_.put(kOther, 0, kForeign);
  });
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 1);
}

TEST_F(ReadingLive, CommitDuringTheOpeningOpensOnceMore) {
  image_.commit({{kOther}, {kDisk}});
  // 1: after the read, 2: by current(), 3: its reading, 4: after the opening
  before_read_of(kHeaderAt, 4, [this] {
    image_.commit({{"LV-33333333-3333-4333-8333-333333333333"}, {kOther}, {kDisk}});
    image_.put(kDisk, 0, kMine);
  });
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 2);
}

TEST_F(ReadingLive, VanishedLvIsAnErrorAtOnce) {
  image_.commit({{kOther}});
  EXPECT_THAT(failure_of_read(), HasSubstr("the LV is gone"));
  EXPECT_EQ(openings_, 1);
}

TEST_F(ReadingLive, DiskInTheMiddleOfAChangeIsWaitedFor) {
  image_.commit({{kOther}, {kDisk}});
  image_.put(kDisk, 0, kMine);
  open_fails_ = Error(ErrorKind::kBusy, "being changed");
  auto timer = reactor_.at(Reactor::Clock::now() + 50ms, [this] { open_fails_.reset(); });
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 2);
}

TEST_F(ReadingLive, ChangeThatDoesNotEndIsAnErrorWithItsReason) {
  image_.commit({{kOther}, {kDisk}});
  open_fails_ = Error(ErrorKind::kBusy, "being changed: journal clone");
  EXPECT_THAT(failure_of_read(), HasSubstr("being changed: journal clone"));
}

TEST_F(ReadingLive, ShrunkDiskIsNotRead) {
  RequestContext context = RequestContext::within(10s);
  const auto vg = run_until_done(reactor_, lvm::read_volume_group(context, lun_, reactor_));
  LiveDisk larger(*sr_, vg, std::make_unique<lunfs::testing::MemoryDevice>(1U << 20U), opener(),
                  kPatience);
  larger.renew();
  std::vector<std::byte> out(512);
  try {
    run_until_done(reactor_, larger.read(context, 0, out));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("shrunk from 1048576 to 65536"));
  }
}

TEST_F(ReadingLive, RenewalOpensAtTheNextReadOnly) {
  disk_->renew();
  EXPECT_EQ(openings_, 0);
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(read(), kMine);
  EXPECT_EQ(openings_, 1);
}

TEST_F(ReadingLive, LostSessionIsTheReadsOwnError) {
  lun_.fail_matching([](const Request&) { return true; }, Error(ErrorKind::kUnreachable, "gone"));
  std::vector<std::byte> out(512);
  RequestContext context = RequestContext::within(10s);
  try {
    run_until_done(reactor_, disk_->read(context, 0, out));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  }
}

TEST_F(ReadingLive, WritesAreRefused) {
  std::vector<std::byte> in(512);
  RequestContext context = RequestContext::within(10s);
  EXPECT_THROW(run_until_done(reactor_, disk_->write(context, 0, in)), Error);
  EXPECT_EQ(image_.device().counts().changes(), 0U);
}

TEST_F(ReadingLive, ManyReadsShareALook) {
  image_.device().suspend_through(reactor_);
  int looks = 0;
  lun_.fail_matching(
      [&looks](const Request& request) {
        if (request.offset == kHeaderAt) ++looks;
        return false;
      },
      Error(ErrorKind::kInternal, "never thrown"));
  RequestContext context = RequestContext::within(10s);
  std::vector<std::byte> out(64 * 512);
  std::vector<Task<void>> reads;
  for (std::size_t i = 0; i < 64; ++i) {
    reads.push_back(disk_->read(context, i * 512, std::span(out).subspan(i * 512, 512)));
  }
  run_until_done(reactor_, [](std::vector<Task<void>> all) -> Task<void> {
    co_await when_all(std::move(all));
  }(std::move(reads)));
  EXPECT_LT(looks, 32);
  EXPECT_GE(looks, 1);
}

}  // namespace
}  // namespace lunfs::sr
