#include "base/wake_up_line.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "base/spawn.h"

namespace lunfs {
namespace {

using Clock = WakeUpLine::Clock;

Task<void> wait_and_tell(WakeUp& wait, int number, std::vector<int>& order) {
  RequestContext unlimited;
  co_await wait.until(unlimited);
  order.push_back(number);
}

/// In which order those wake that came to the line at `since`, in seconds.
std::vector<int> order_of(const std::vector<int>& since) {
  Reactor reactor;
  WakeUpLine line;
  std::vector<std::unique_ptr<WakeUp>> waits;
  std::vector<std::unique_ptr<WakeUpLine::Place>> places;
  std::vector<int> order;
  bool ended = false;
  for (const int second : since) {
    waits.push_back(std::make_unique<WakeUp>(reactor));
    places.push_back(std::make_unique<WakeUpLine::Place>(
        line, *waits.back(), Clock::time_point(std::chrono::seconds(second))));
    spawn(wait_and_tell(*waits.back(), second, order),
          [&](const std::exception_ptr&) { ended = order.size() == since.size(); });
  }
  line.wake_all();
  reactor.run_until(ended);
  return order;
}

TEST(WakeUpLine, WhoCameFirstIsWokenFirst) {
  EXPECT_THAT(order_of({3, 1, 2}), ::testing::ElementsAre(1, 2, 3));
}

TEST(WakeUpLine, OfTheSameTimeWhoLinedUpFirstIsWokenFirst) {
  Reactor reactor;
  WakeUpLine line;
  WakeUp first(reactor);
  WakeUp second(reactor);
  std::vector<int> order;
  bool ended = false;
  const WakeUpLine::Place place(line, first, Clock::time_point{});
  const WakeUpLine::Place next(line, second, Clock::time_point{});
  spawn(wait_and_tell(second, 2, order), [&](const std::exception_ptr&) { ended = true; });
  spawn(wait_and_tell(first, 1, order), [](const std::exception_ptr&) {});
  line.wake_all();
  reactor.run_until(ended);
  EXPECT_THAT(order, ::testing::ElementsAre(1, 2));
}

TEST(WakeUpLine, WhoLeftIsNotWoken) {
  Reactor reactor;
  WakeUpLine line;
  WakeUp wait(reactor);
  { const WakeUpLine::Place place(line, wait, Clock::now()); }
  line.wake_all();
  RequestContext context = RequestContext::within(std::chrono::milliseconds(5));
  std::vector<int> order;
  bool ended = false;
  spawn([](WakeUp& alone, RequestContext& limited) -> Task<void> { co_await alone.until(limited); }(
                                                       wait, context),
        [&](const std::exception_ptr&) { ended = true; });
  reactor.run_until(ended);
  EXPECT_GE(Clock::now(), context.deadline);
}

}  // namespace
}  // namespace lunfs
