#include "fs/shards.h"

#include <exception>
#include <thread>
#include <utility>

#include "base/hand_over.h"
#include "base/spawn.h"

namespace lunfs::fs {

namespace {

constexpr std::chrono::milliseconds kRenewalLimit{200};

/// Belongs to the thread that asked for it.
struct Renewal {
  std::size_t expected = 0;
  std::function<void()> then{};
  Reactor::Timer limit{};

  void end() {
    limit = {};
    if (then) std::exchange(then, nullptr)();
  }
};

}  // namespace

struct Shards::Further {
  Further(std::size_t number, Reactor& first, const std::function<void()>& prepare_thread)
      : shard(reactor, number), thread([this, &first, prepare_thread] {
          try {
            if (prepare_thread) prepare_thread();
            reactor.run();
          } catch (...) {  // no memory: it ends the mount, as on the first thread
            first.post([failure = std::current_exception()] { std::rethrow_exception(failure); });
          }
        }) {}
  Further(const Further&) = delete;
  Further& operator=(const Further&) = delete;

  Reactor reactor;
  Shard shard;
  std::jthread thread;
};

Shards::Shards(Shard& first, std::size_t count, const std::function<void()>& prepare_thread)
    : first_(first), up_(count) {
  for (std::size_t number = 1; number < count; ++number) {
    further_.push_back(std::make_unique<Further>(number, first.reactor, prepare_thread));
  }
}

Shards::~Shards() { stop_threads(); }

void Shards::stop_threads() noexcept {
  for (const auto& further : further_) further->reactor.stop();
  for (const auto& further : further_) {
    if (further->thread.joinable()) further->thread.join();
  }
}

Shard& Shards::at(std::size_t number) const noexcept {
  return number == 0 ? first_ : further_[number - 1]->shard;
}

Task<void> Shards::on(std::size_t from, RequestContext& context, Work work) {
  std::vector<Task<void>> all;
  for (std::size_t number = from; number < count(); ++number) {
    Shard& shard = at(number);
    all.push_back(run_on(shard.reactor, first_.reactor, context,
                         [&work, &shard](RequestContext& there) { return work(shard, there); }));
  }
  co_await when_all(std::move(all));
}

void Shards::share_channels() {
  if (count() == 1) return;
  for (std::size_t number = 0; number < count(); ++number) {
    Shard& shard = at(number);
    shard.channel->share([this, number](const std::vector<std::byte>& interrupt) {
      tell_others(number, interrupt);
    });
    shard.operations->renew_status = [this, &shard](std::function<void()> then) {
      renew_reports(shard, std::move(then));
    };
  }
}

void Shards::tell_others(std::size_t from, const std::vector<std::byte>& interrupt) const {
  for (std::size_t number = 0; number < count(); ++number) {
    if (number == from) continue;
    Shard& shard = at(number);
    shard.reactor.post([&shard, interrupt] { shard.channel->take_interrupt(interrupt); });
  }
}

void Shards::join_channels() {
  for (const auto& further : further_) further->shard.channel->join(*first_.channel);
}

Task<void> Shards::start_channels() {
  if (count() == 1) co_return;
  RequestContext unlimited;
  Work start = [this, init = first_.channel->init_request()](Shard& shard, RequestContext&) {
    return start_channel(shard, init);
  };
  co_await on_all(unlimited, std::move(start));
}

Task<void> Shards::start_channel(Shard& shard, std::vector<std::byte> init) {
  if (shard.number != 0) shard.channel->start(std::move(init));
  shard.keep_publishing();
  shard.watch_session([this, &shard](bool up) { note_session(shard, up); });
  co_return;
}

/// On the shard's own thread.
void Shards::note_session(const Shard& shard, bool up) {
  if (!up_.set(shard.number, up)) return;
  for (std::size_t number = 0; number < count(); ++number) {
    Shard& each = at(number);
    each.reactor.post([this, &each] { take_or_leave(each); });
  }
}

/// On the shard's own thread.
void Shards::take_or_leave(Shard& shard) const {
  if (up_.takes_requests(shard.number)) return shard.channel->resume();
  shard.channel->pause();
  // What it was woken for, and leaves, the others find if they look after the pause.
  for (std::size_t number = 0; number < count(); ++number) {
    Shard& other = at(number);
    other.reactor.post([this, &other] {
      if (up_.takes_requests(other.number)) other.channel->resume();
    });
  }
}

void Shards::renew_reports(Shard& here, std::function<void()> then) {
  here.publish();
  const auto renewal = std::make_shared<Renewal>();
  renewal->expected = count() - 1;
  renewal->then = std::move(then);
  renewal->limit =
      here.reactor.at(Reactor::Clock::now() + kRenewalLimit, [renewal] { renewal->end(); });
  for (std::size_t number = 0; number < count(); ++number) {
    if (number == here.number) continue;
    Shard& shard = at(number);
    shard.reactor.post([&shard, &here, renewal] {
      shard.publish();
      here.reactor.post([renewal] {
        if (--renewal->expected == 0) renewal->end();
      });
    });
  }
}

std::vector<ShardReport> Shards::reports() const {
  if (count() == 1) first_.publish();
  std::vector<ShardReport> all;
  for (std::size_t number = 0; number < count(); ++number) all.push_back(at(number).report());
  return all;
}

}  // namespace lunfs::fs
