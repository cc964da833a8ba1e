#include "volume/sr/quiescence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run.h"
#include "base/spawn.h"
#include "tests/support/fault_device.h"
#include "tests/unit/sr/sr_image.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::sr {
namespace {

using lunfs::testing::FaultDevice;
using lunfs::testing::Operation;
using lunfs::testing::Request;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::SrImage;
using namespace std::chrono_literals;

const std::string kVg = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab";
const std::string kRaw = "LV-11111111-1111-4111-8111-111111111111";
const std::string kVhd = "VHD-22222222-2222-4222-8222-222222222222";
const std::string kJournal = "relink_22222222-2222-4222-8222-222222222222_1";
const std::vector<SrImage::Lv> kLvs = {{"MGT"}, {kRaw}, {kVhd}};
constexpr auto kDistance = 100ms;

class Watching : public ::testing::Test {
 protected:
  void SetUp() override {
    RequestContext context = RequestContext::within(10s);
    vg_ = run_until_done(reactor_, lvm::read_volume_group(context, image_.device(), reactor_));
    quiescence_.emplace(faulty_, reactor_, vg_, kDistance);
  }

  void first_look() {
    RequestContext context = RequestContext::within(10s);
    run_until_done(reactor_, quiescence_->first_look(context));
    looked_at_ = Reactor::Clock::now();
  }

  /// The message of the kBusy that ensure() throws; empty if it returns.
  std::string refusal() {
    RequestContext context = RequestContext::within(10s);
    try {
      run_until_done(reactor_, quiescence_->ensure(context));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBusy);
      return error.message();
    }
    return {};
  }

  std::uint64_t last_of(const std::string& lv) {
    return image_.offset_of(lv) + SrImage::kExtentBytes - 1;
  }

  static FaultDevice::Matcher reads_at(std::uint64_t offset) {
    return [offset](const Request& request) {
      return request.operation == Operation::kRead && request.offset <= offset &&
             offset < request.offset + request.length;
    };
  }

  Reactor reactor_;
  SrImage image_{kVg, kLvs};
  FaultDevice faulty_{reactor_, image_.device()};
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  std::optional<Quiescence> quiescence_;
  Reactor::Clock::time_point looked_at_;
};

TEST_F(Watching, TheDistanceIsFiveSeconds) { EXPECT_EQ(Quiescence::kDistance, 5s); }

TEST_F(Watching, AQuietSrMayBeWrittenAfterTheDistance) {
  first_look();
  EXPECT_EQ(refusal(), "");
  EXPECT_GE(Reactor::Clock::now() - looked_at_, kDistance - 1ms);
}

TEST_F(Watching, WritesNothing) {
  first_look();
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(image_.device().counts().changes(), 0U);
  EXPECT_EQ(image_.device().counts().flushes, 0U);
}

TEST_F(Watching, OnceQuietItLooksNoMore) {
  first_look();
  EXPECT_EQ(refusal(), "");
  image_.device().reset_counts();
  image_.commit(kLvs);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(image_.device().counts().reads, 0U);
}

TEST_F(Watching, WithoutAFirstLookItTakesTwo) {
  const auto begun = Reactor::Clock::now();
  EXPECT_EQ(refusal(), "");
  EXPECT_GE(Reactor::Clock::now() - begun, kDistance);
}

TEST_F(Watching, AVhdsDataMayChange) {
  first_look();
  image_.put(kVhd, 4096, "data of a guest");
  EXPECT_EQ(refusal(), "");
}

struct Change {
  const char* name;
  void (*make)(SrImage&);
  const char* words;
};

const Change kChanges[] = {
    {"Commit", [](SrImage& image) { image.commit(kLvs); },
     "LVM metadata changed from seqno 1, text at 512"},
    {"Journal",
     [](SrImage& image) {
       image.commit({{"MGT"}, {kRaw}, {kVhd}, {kJournal, {"journaler"}}});
     },
     "journal relink_22222222"},
    {"StartOfAVhd", [](SrImage& image) { image.put(kVhd, 511, "x"); },
     "the footers of VHD-22222222"},
    {"EndOfAVhd", [](SrImage& image) { image.put(kVhd, SrImage::kExtentBytes - 1, "x"); },
     "the footers of VHD-22222222"},
    {"EndFooterKilled",
     [](SrImage& image) { image.put(kVhd, SrImage::kExtentBytes - 512, std::string(512, '\xc7')); },
     "the footers of VHD-22222222"},
    {"MgtHeader", [](SrImage& image) { image.put("MGT", 5, "3072"); }, "the start of MGT changed"},
    {"MgtLabel", [](SrImage& image) { image.put("MGT", 1050, "x"); }, "the start of MGT changed"},
    {"MetadataGone",
     [](SrImage& image) { std::fill_n(image.device().bytes().begin(), 8192, std::byte{0}); },
     "LVM metadata cannot be read"},
};

class WatchingChanges : public Watching, public ::testing::WithParamInterface<Change> {};

INSTANTIATE_TEST_SUITE_P(All, WatchingChanges, ::testing::ValuesIn(kChanges),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(WatchingChanges, RefuseWritingAndAreNamed) {
  first_look();
  GetParam().make(image_);
  EXPECT_THAT(refusal(), HasSubstr(GetParam().words));
}

TEST_P(WatchingChanges, AreRememberedAfterTheyWereUndone) {
  const std::vector<std::byte> before = image_.device().bytes();
  first_look();
  GetParam().make(image_);
  EXPECT_NE(refusal(), "");
  image_.device().bytes() = before;
  EXPECT_THAT(refusal(), HasSubstr(GetParam().words));
}

TEST_F(Watching, ACommitBetweenTheMapAndTheFirstLookCounts) {
  image_.commit(kLvs);
  first_look();
  EXPECT_THAT(refusal(), HasSubstr("LVM metadata changed from seqno 1"));
}

TEST_F(Watching, AJournalAtTheFirstLookRefusesWithoutWaiting) {
  image_.commit({{"MGT"}, {kRaw}, {kVhd}, {kJournal, {"journaler"}}});
  first_look();
  EXPECT_THAT(refusal(), HasSubstr("journal " + kJournal));
  EXPECT_LT(Reactor::Clock::now() - looked_at_, kDistance);
}

TEST_F(Watching, AReadErrorAtTheFirstLookRefusesLater) {
  faulty_.fail_matching(reads_at(last_of(kVhd)), Error(ErrorKind::kIo, "medium error"));
  first_look();
  faulty_.heal();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(kVhd), HasSubstr("medium error")));
}

TEST_F(Watching, AReadErrorAtTheSecondLookRefuses) {
  first_look();
  faulty_.fail_matching(reads_at(image_.offset_of("MGT")), Error(ErrorKind::kIo, "medium error"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("MGT"), HasSubstr("medium error")));
}

/// Several calls of ensure() at the same time, each with its own context.
class WaitingTogether : public Watching {
 protected:
  struct Waiter {
    Cancellation cancellation;
    RequestContext context;
    bool ended = false;
    std::optional<Error> error;
  };

  void start(Waiter& waiter) {
    waiter.context.cancellation = &waiter.cancellation;
    if (waiter.context.deadline == Reactor::Clock::time_point::max()) {
      waiter.context.deadline = Reactor::Clock::now() + 10s;
    }
    ++running_;
    spawn(quiescence_->ensure(waiter.context), [this, &waiter](std::exception_ptr failure) {
      waiter.ended = true;
      try {
        if (failure) std::rethrow_exception(failure);
      } catch (const Error& error) {
        waiter.error = error;
      }
      if (--running_ == 0) reactor_.stop();
    });
  }

  void run_all() {
    if (running_ > 0) reactor_.run();
  }

  int running_ = 0;
};

TEST_F(WaitingTogether, ShareOneSecondLook) {
  first_look();
  image_.device().reset_counts();
  Waiter one, two, three;
  for (Waiter* waiter : {&one, &two, &three}) start(*waiter);
  run_all();
  const std::size_t reads = image_.device().counts().reads;
  for (Waiter* waiter : {&one, &two, &three}) EXPECT_FALSE(waiter->error);

  image_.device().reset_counts();
  RequestContext context = RequestContext::within(10s);
  run_until_done(reactor_, quiescence_->first_look(context));
  EXPECT_EQ(reads, image_.device().counts().reads);
}

TEST_F(WaitingTogether, AreAllRefused) {
  first_look();
  image_.commit(kLvs);
  Waiter one, two;
  start(one);
  start(two);
  run_all();
  ASSERT_TRUE(one.error && two.error);
  EXPECT_EQ(one.error->kind(), ErrorKind::kBusy);
  EXPECT_EQ(one.error->message(), two.error->message());
}

TEST_F(WaitingTogether, ACancelledOneLeavesTheOthersAlone) {
  first_look();
  Waiter first, middle, last;
  for (Waiter* waiter : {&first, &middle, &last}) start(*waiter);
  first.cancellation.request();
  middle.cancellation.request();
  run_all();
  ASSERT_TRUE(first.error && middle.error);
  EXPECT_EQ(first.error->kind(), ErrorKind::kCancelled);
  EXPECT_EQ(middle.error->kind(), ErrorKind::kCancelled);
  EXPECT_FALSE(last.error);
  EXPECT_EQ(refusal(), "");
}

TEST_F(WaitingTogether, ADeadlineOfOneLeavesTheOthersAlone) {
  first_look();
  Waiter first, last;
  first.context.deadline = Reactor::Clock::now() + 10ms;
  start(first);
  start(last);
  run_all();
  ASSERT_TRUE(first.error);
  EXPECT_EQ(first.error->kind(), ErrorKind::kTimedOut);
  EXPECT_FALSE(last.error);
}

TEST_F(WaitingTogether, OneCancelledInTheMiddleOfTheLookDecidesNothing) {
  first_look();
  faulty_.hold_matching(reads_at(last_of(kVhd)));
  Waiter first;
  start(first);
  const auto cancel = reactor_.at(Reactor::Clock::now() + 2 * kDistance, [&] {
    EXPECT_EQ(faulty_.held(), 1U);
    first.cancellation.request();
  });
  run_all();
  ASSERT_TRUE(first.error);
  EXPECT_EQ(first.error->kind(), ErrorKind::kCancelled);
  faulty_.release();
  EXPECT_EQ(refusal(), "");
}

}  // namespace
}  // namespace lunfs::sr
