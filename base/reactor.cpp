#include "base/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/wake_up.h"

namespace lunfs {

namespace {

constexpr std::uint64_t kWakeId = 0;
constexpr std::size_t kEventsPerWait = 64;
constexpr int kDeferRounds = 16;

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
  if (spare_timer_) {
    spare_timer_.key() = key;
    spare_timer_.mapped() = std::move(callback);
    timers_.insert(std::move(spare_timer_));
  } else {
    timers_.emplace(key, std::move(callback));
  }
  return {this, key};
}

/// Takes a timer out of the list, if it is there.
Reactor::Callback Reactor::take_timer(const Timer::Key& key) {
  Timers::node_type node = timers_.extract(key);
  if (!node) return nullptr;
  Callback callback = std::exchange(node.mapped(), nullptr);
  spare_timer_ = std::move(node);
  return callback;
}

Reactor::Timer::~Timer() {
  if (reactor_ != nullptr) reactor_->take_timer(place_);
}

Task<void> Reactor::sleep_until(RequestContext& context, Clock::time_point when) {
  context.check();
  WakeUp wake_up(*this);
  co_await wake_up.until(context, when);
  if (Clock::now() < when || context.deadline < when || context.cancelled()) context.check();
}

void Reactor::defer(std::coroutine_handle<> handle) { deferred_.push_back(handle); }

void Reactor::post(Callback callback) {
  // The wake-up is written under the lock: after it this thread touches the reactor no more, so
  // the callback may end the reactor's life.
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(callback));
  eventfd_write(wake_.get(), 1);
}

void Reactor::stop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  eventfd_write(wake_.get(), 1);
}

Reactor::Hook Reactor::after_handlers(Callback callback) {
  return after_handlers_.add(std::move(callback));
}

Reactor::Hook Reactor::at_turn_end(Callback callback) { return turn_end_.add(std::move(callback)); }

Reactor::Hook Reactor::HookList::add(Callback callback) {
  return {this, entries.insert(entries.end(), HookEntry{std::move(callback)})};
}

Reactor::Hook::~Hook() {
  if (list_ == nullptr) return;
  // While the hooks are called this may be the running one, or the next in the list.
  if (list_->being_called) {
    place_->ended = true;
  } else {
    list_->entries.erase(place_);
  }
}

void Reactor::HookList::call() {
  being_called = true;
  for (HookEntry& entry : entries) {
    if (!entry.ended) entry.callback();
  }
  std::list<HookEntry> ended;
  for (auto entry = entries.begin(); entry != entries.end();) {
    const auto next = std::next(entry);
    if (entry->ended) ended.splice(ended.end(), entries, entry);
    entry = next;
  }
  being_called = false;
}

void Reactor::run() {
  end_turn();
  while (!take_stop()) {
    wait();
    end_turn();
  }
}

void Reactor::run_until(const bool& done) {
  end_turn();
  while (!done) {
    wait();
    end_turn();
  }
}

bool Reactor::take_stop() {
  const std::lock_guard lock(mutex_);
  return std::exchange(stop_, false);
}

void Reactor::wait() {
  std::array<epoll_event, kEventsPerWait> events{};
  const std::optional<timespec> limit = wait_limit();
  const int count = epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 limit ? &*limit : nullptr, nullptr);
  if (count < 0 && errno != EINTR) throw system_error(errno, "waiting for events");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    dispatch(event.data.u64, event.events);
  }
  fire_timers();
}

void Reactor::end_turn() {
  resume_deferred();
  after_handlers_.call();
  resume_deferred();
  turn_end_.call();
}

std::optional<timespec> Reactor::wait_limit() const {
  if (!deferred_.empty()) return timespec{};
  if (timers_.empty()) return std::nullopt;
  constexpr Clock::duration kLongest = std::chrono::minutes(1);
  const Clock::time_point first = timers_.begin()->first.when;
  const Clock::time_point now = Clock::now();
  if (first <= now) return timespec{};  // asked first: the distance to the far past does not fit
  const auto left = std::chrono::nanoseconds(std::min(first - now, kLongest));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  return timespec{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
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
  // One that is set up meanwhile waits for the next turn, however early its time: a timer that
  // renews itself at once must not hold the loop, nor keep later ones from firing.
  const std::uint64_t first_new_id = next_id_;
  auto timer = timers_.begin();
  while (timer != timers_.end() && timer->first.when <= now) {
    const Timer::Key key = timer->first;
    if (key.id < first_new_id) {
      const Callback callback = take_timer(key);
      callback();
    }
    timer = timers_.upper_bound(key);  // the callback may have ended any other
  }
}

void Reactor::resume_deferred() {
  // What a deferred coroutine defers joins the same batch, but an endless chain must let
  // descriptors and timers have their turn.
  for (int round = 0; round < kDeferRounds && !deferred_.empty(); ++round) {
    resuming_.swap(deferred_);
    for (const std::coroutine_handle<> handle : resuming_) handle.resume();
    resuming_.clear();
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
