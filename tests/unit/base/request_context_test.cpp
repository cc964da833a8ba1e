#include "base/request_context.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"

namespace lunfs {
namespace {

using Registration = Cancellation::Registration;

TEST(Cancellation, CallsEachCallbackOnceInOrder) {
  Cancellation cancellation;
  std::vector<int> calls;
  const Registration first(&cancellation, [&] { calls.push_back(1); });
  const Registration second(&cancellation, [&] { calls.push_back(2); });
  EXPECT_FALSE(cancellation.requested());
  cancellation.request();
  cancellation.request();
  EXPECT_TRUE(cancellation.requested());
  EXPECT_EQ(calls, (std::vector<int>{1, 2}));
}

TEST(Cancellation, EndedRegistrationIsNotCalled) {
  Cancellation cancellation;
  int calls = 0;
  std::optional<Registration> first;
  first.emplace(&cancellation, [&] { ++calls; });
  const Registration second(&cancellation, [&] { ++calls; });
  first.reset();
  cancellation.request();
  EXPECT_EQ(calls, 1);
}

TEST(Cancellation, CallbackMayEndItsOwnRegistrationAndAnothers) {
  Cancellation cancellation;
  std::vector<int> calls;
  std::optional<Registration> first;
  std::optional<Registration> second;
  std::optional<Registration> third;
  auto token = std::make_shared<int>(1);
  first.emplace(&cancellation, [&, token] {
    first.reset();
    second.reset();
    calls.push_back(*token);  // the callback itself still lives
  });
  second.emplace(&cancellation, [&] { calls.push_back(2); });
  third.emplace(&cancellation, [&] { calls.push_back(3); });
  cancellation.request();
  EXPECT_EQ(calls, (std::vector<int>{1, 3}));
}

TEST(Cancellation, RegistrationAfterTheRequestIsCalledAtOnce) {
  Cancellation cancellation;
  cancellation.request();
  int calls = 0;
  const Registration late(&cancellation, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Cancellation, CallbackMayRegisterAnother) {
  Cancellation cancellation;
  int calls = 0;
  std::optional<Registration> inner;
  const Registration outer(&cancellation, [&] { inner.emplace(&cancellation, [&] { ++calls; }); });
  cancellation.request();
  EXPECT_EQ(calls, 1);
}

TEST(Cancellation, NullTakesNoRegistration) {
  const Registration none(nullptr, [] { FAIL(); });
}

TEST(Cancellation, OfSeveralCallersIsRequestedWhenEachOfTheirsIs) {
  Cancellation one;
  Cancellation other;
  const Cancellation common({&one, &other});
  EXPECT_FALSE(common.requested());
  one.request();
  EXPECT_FALSE(common.requested());
  other.request();
  EXPECT_TRUE(common.requested());
}

TEST(Cancellation, OfSeveralCallersIsNotRequestedWhileOneNeverGivesUp) {
  Cancellation one;
  one.request();
  EXPECT_FALSE(Cancellation({&one, nullptr}).requested());
  EXPECT_FALSE(Cancellation(std::vector<const Cancellation*>()).requested()) << "of nobody";
}

TEST(Cancellation, OfSeveralCallersMayBeRequestedItself) {
  const Cancellation one;
  Cancellation common({&one});
  common.request();
  EXPECT_TRUE(common.requested());
  EXPECT_FALSE(one.requested());
}

TEST(RequestContext, WithoutLimitsAlwaysGoesOn) {
  const RequestContext context;
  EXPECT_NO_THROW(context.check());
  EXPECT_FALSE(context.cancelled());
}

TEST(RequestContext, PassedDeadlineIsTimedOut) {
  const RequestContext late = RequestContext::within(std::chrono::milliseconds(-1));
  try {
    late.check();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  }
  EXPECT_NO_THROW(RequestContext::within(std::chrono::hours(1)).check());
}

TEST(RequestContext, CancelledIsToldBeforeTimedOut) {
  Cancellation cancellation;
  cancellation.request();
  RequestContext both = RequestContext::within(std::chrono::milliseconds(-1));
  both.cancellation = &cancellation;
  EXPECT_TRUE(both.cancelled());
  try {
    both.check();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST(Revocation, RequestFailsByWhatTookItsGroundAway) {
  Revocation revocation;
  RequestContext context;
  context.revocation = &revocation;
  EXPECT_NO_THROW(context.check());
  EXPECT_FALSE(revocation.done());
  revocation.revoke(Error(ErrorKind::kIo, "removed").because("a host").advise("open anew"));
  EXPECT_TRUE(revocation.done());
  try {
    context.check();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "removed");
    EXPECT_EQ(error.remedy(), "open anew");
  }
  EXPECT_THROW(context.check_revocation(), Error);
}

TEST(Revocation, FirstReasonStays) {
  Revocation revocation;
  revocation.revoke(Error(ErrorKind::kIo, "first"));
  revocation.revoke(Error(ErrorKind::kIo, "second"));
  try {
    revocation.check();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "first");
  }
}

}  // namespace
}  // namespace lunfs
