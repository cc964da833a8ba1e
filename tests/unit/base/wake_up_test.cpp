#include "base/wake_up.h"

#include <gtest/gtest.h>

#include "base/run.h"
#include "base/spawn.h"

namespace lunfs {
namespace {

using std::chrono::milliseconds;
using Clock = Reactor::Clock;

Task<void> wait_for(WakeUp& wake_up, RequestContext& context, Clock::time_point when) {
  co_await wake_up.until(context, when);
}

TEST(WakeUp, WakeBeforeTheWaitCounts) {
  Reactor reactor;
  WakeUp wake_up(reactor);
  RequestContext context;
  wake_up.wake();
  run_until_done(reactor, wait_for(wake_up, context, Clock::time_point::max()));
}

TEST(WakeUp, OneWakeEndsOneWait) {
  Reactor reactor;
  WakeUp wake_up(reactor);
  RequestContext context;
  wake_up.wake();
  run_until_done(reactor, wait_for(wake_up, context, Clock::time_point::max()));
  const auto when = Clock::now() + milliseconds(5);
  run_until_done(reactor, wait_for(wake_up, context, when));
  EXPECT_GE(Clock::now(), when) << "the second wait had to wait for its time";
}

TEST(WakeUp, NeverResumesFromInsideWake) {
  Reactor reactor;
  WakeUp wake_up(reactor);
  RequestContext context;
  bool ended = false;
  spawn(wait_for(wake_up, context, Clock::time_point::max()),
        [&](const std::exception_ptr&) { ended = true; });
  wake_up.wake();
  wake_up.wake();
  EXPECT_FALSE(ended);
  reactor.run_until(ended);
}

TEST(WakeUp, DeadlineOfTheContextEndsTheWait) {
  Reactor reactor;
  WakeUp wake_up(reactor);
  RequestContext context = RequestContext::within(milliseconds(5));
  run_until_done(reactor, wait_for(wake_up, context, Clock::time_point::max()));
  EXPECT_GE(Clock::now(), context.deadline);
}

TEST(WakeUp, CancellationBeforeAndDuringTheWaitEndsIt) {
  Reactor reactor;
  WakeUp wake_up(reactor);
  Cancellation cancellation;
  RequestContext context{.cancellation = &cancellation};
  const auto timer = reactor.at(Clock::now() + milliseconds(5), [&] { cancellation.request(); });
  run_until_done(reactor, wait_for(wake_up, context, Clock::time_point::max()));
  EXPECT_TRUE(context.cancelled());
  run_until_done(reactor, wait_for(wake_up, context, Clock::time_point::max()));
}

}  // namespace
}  // namespace lunfs
