#include "fs/first_write.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/hand_over.h"
#include "base/run.h"
#include "tests/support/reactor_thread.h"
#include "tests/unit/sr/sr_image.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::fs {
namespace {

using sr::testing::SrImage;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kLv = "LV-11111111-1111-4111-8111-111111111111";
constexpr std::chrono::milliseconds kDistance{50};

/// The tests run on a further shard's thread; the first one's is another.
class FirstWriteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    over_there([this](RequestContext& context) { return look(context); });
  }
  Task<void> look(RequestContext& context) {
    vg_ = co_await lvm::read_volume_group(context, image_.device(), first_.reactor());
    quiescence_.emplace(image_.device(), first_.reactor(), vg_, kDistance);
    first_write_.emplace(*quiescence_, first_.reactor());
    co_await quiescence_->first_look(context);
  }
  Task<void> commit(RequestContext& /*context*/) {
    image_.commit({{"MGT"}, {kLv}, {"LV-22222222-2222-4222-8222-222222222222"}});
    co_return;
  }
  void over_there(const std::function<Task<void>(RequestContext&)>& work) {
    run_until_done(here_, run_on(first_.reactor(), here_, context_, work));
  }
  void ensure() { run_until_done(here_, first_write_->ensure(context_, here_)); }

  Reactor here_;
  RequestContext context_ = RequestContext::within(std::chrono::seconds(10));
  SrImage image_{kVg, {{"MGT"}, {kLv}}};
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  testing::ReactorThread first_;
  std::optional<sr::Quiescence> quiescence_;
  std::optional<FirstWrite> first_write_;
};

TEST_F(FirstWriteTest, IsSafeOnceTheFirstShardHasLooked) {
  EXPECT_FALSE(first_write_->safe());
  ensure();
  EXPECT_TRUE(first_write_->safe());
  EXPECT_NO_THROW(ensure());
}

TEST_F(FirstWriteTest, ChangedSrIsRefusedOnEachShard) {
  over_there([this](RequestContext& context) { return commit(context); });
  EXPECT_THROW(ensure(), Error);
  EXPECT_FALSE(first_write_->safe());
  EXPECT_THROW(ensure(), Error) << "for ever";
  EXPECT_THROW(over_there([this](RequestContext& context) {
                 return first_write_->ensure(context, first_.reactor());
               }),
               Error);
}

TEST_F(FirstWriteTest, WhoGivesUpDecidesNothing) {
  Cancellation cancellation;
  cancellation.request();
  RequestContext cancelled = RequestContext::within(std::chrono::seconds(10));
  cancelled.cancellation = &cancellation;
  EXPECT_THROW(run_until_done(here_, first_write_->ensure(cancelled, here_)), Error);
  EXPECT_FALSE(first_write_->safe());
  ensure();
  EXPECT_TRUE(first_write_->safe());
}

}  // namespace
}  // namespace lunfs::fs
