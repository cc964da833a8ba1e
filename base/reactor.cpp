#include "base/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/error.h"

namespace lunfs {

namespace {

constexpr std::uint64_t kWakeId = 0;
constexpr std::size_t kEventsPerWait = 64;

}  // namespace

Reactor::Reactor()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_.valid() || !wake_.valid()) throw system_error(errno, "creating the event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeId;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw system_error(errno, "watching the event loop's eventfd");
  }
}

Reactor::~Reactor() = default;

Reactor::Watch Reactor::watch(int fd, std::uint32_t events, FdHandler handler) {
  const std::uint64_t id = next_id_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw system_error(errno, "watching a file descriptor");
  }
  watched_.emplace(id, Watched{fd, events, std::make_shared<FdHandler>(std::move(handler))});
  return {this, id};
}

Reactor::Watch::~Watch() {
  if (reactor_ == nullptr) return;
  const auto found = reactor_->watched_.find(id_);
  // The descriptor may be closed already (the kernel then forgot it by itself): no error to report.
  epoll_ctl(reactor_->epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  reactor_->watched_.erase(found);
}

void Reactor::Watch::set_events(std::uint32_t events) {
  Watched& watched = reactor_->watched_.at(id_);
  if (watched.events == events) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id_;
  if (epoll_ctl(reactor_->epoll_.get(), EPOLL_CTL_MOD, watched.fd, &event) != 0) {
    throw system_error(errno, "changing what a file descriptor is watched for");
  }
  watched.events = events;
}

Reactor::Timer Reactor::at(Clock::time_point when, Callback callback) {
  const Timer::Key key{when, next_id_++};
  timers_.emplace(key, std::move(callback));
  return {this, key};
}

Reactor::Timer::~Timer() {
  if (reactor_ != nullptr) reactor_->timers_.erase(place_);
}

namespace {

/// Waits for a timer or a cancellation, whichever comes first.
struct SleepAwaiter {
  Reactor& reactor;
  RequestContext& context;
  Reactor::Clock::time_point when;
  Reactor::Timer timer;
  bool resumed = false;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    timer = reactor.at(when, [this, handle] { wake(handle); });
    if (context.cancellation != nullptr) {
      registration.emplace(context.cancellation, [this, handle] { wake(handle); });
    }
  }
  void await_resume() const noexcept {}

  void wake(std::coroutine_handle<> handle) {
    if (!std::exchange(resumed, true)) reactor.defer(handle);
  }

  std::optional<Cancellation::Registration> registration;
};

}  // namespace

Task<void> Reactor::sleep_until(RequestContext& context, Clock::time_point when) {
  context.check();
  co_await SleepAwaiter{*this, context, std::min(when, context.deadline), {}, false, {}};
  if (Clock::now() < when ||
      (context.cancellation != nullptr && context.cancellation->requested())) {
    context.check();
  }
}

void Reactor::defer(std::coroutine_handle<> handle) { deferred_.push_back(handle); }

void Reactor::post(Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(callback));
  }
  eventfd_write(wake_.get(), 1);
}

void Reactor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  eventfd_write(wake_.get(), 1);
}

Reactor::TurnEnd Reactor::at_turn_end(Callback callback) {
  return {this, turn_end_.insert(turn_end_.end(), std::move(callback))};
}

Reactor::TurnEnd::~TurnEnd() {
  if (reactor_ != nullptr) reactor_->turn_end_.erase(place_);
}

void Reactor::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(stop_, false)) return;
    }
    turn();
  }
}

void Reactor::turn() {
  // Work done before the first wait (mounting, tests) may have left things to send or to resume.
  resume_deferred();
  for (auto hook = turn_end_.begin(); hook != turn_end_.end();) (*hook++)();

  std::array<epoll_event, kEventsPerWait> events{};
  const int limit = deferred_.empty() ? wait_limit_ms() : 0;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), limit);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    dispatch(event.data.u64, event.events);
  }
  fire_timers();
}

int Reactor::wait_limit_ms() const {
  if (timers_.empty()) return -1;
  constexpr std::chrono::milliseconds kLongest{60'000};
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.when - Clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, kLongest).count());
}

void Reactor::dispatch(std::uint64_t id, std::uint32_t events) {
  if (id == kWakeId) {
    run_posted();
    return;
  }
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;  // unwatched by an earlier handler of this turn
  const std::shared_ptr<FdHandler> handler = found->second.handler;
  (*handler)(events);
}

void Reactor::fire_timers() {
  if (timers_.empty()) return;
  const Clock::time_point now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.when <= now) {
    const Callback callback = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    callback();
  }
}

void Reactor::resume_deferred() {
  while (!deferred_.empty()) {
    std::vector<std::coroutine_handle<>> ready;
    ready.swap(deferred_);
    for (const std::coroutine_handle<> handle : ready) handle.resume();
  }
}

void Reactor::run_posted() {
  eventfd_t ignored = 0;
  eventfd_read(wake_.get(), &ignored);
  std::vector<Callback> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (const Callback& callback : posted) callback();
}

}  // namespace lunfs
