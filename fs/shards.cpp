#include "fs/shards.h"

#include <thread>
#include <utility>

#include "base/hand_over.h"
#include "base/spawn.h"

namespace lunfs::fs {

namespace {

Task<void> start_channel(Shard& shard, std::vector<std::byte> init) {
  if (shard.number != 0) shard.channel->start(std::move(init));
  shard.keep_publishing();
  co_return;
}

}  // namespace

struct Shards::Further {
  Further(std::size_t number, const std::function<void()>& prepare_thread)
      : shard(reactor, number), thread([this, prepare_thread] {
          if (prepare_thread) prepare_thread();
          reactor.run();
        }) {}
  Further(const Further&) = delete;
  Further& operator=(const Further&) = delete;
  ~Further() {
    reactor.stop();
    thread.join();
  }

  Reactor reactor;
  Shard shard;
  std::jthread thread;
};

Shards::Shards(Shard& first, std::size_t count, const std::function<void()>& prepare_thread)
    : first_(first) {
  for (std::size_t number = 1; number < count; ++number) {
    further_.push_back(std::make_unique<Further>(number, prepare_thread));
  }
}

Shards::~Shards() = default;

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
    at(number).channel->share([this, number](const std::vector<std::byte>& interrupt) {
      tell_others(number, interrupt);
    });
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
  Work start = [init = first_.channel->init_request()](Shard& shard, RequestContext&) {
    return start_channel(shard, init);
  };
  co_await on_all(unlimited, std::move(start));
}

std::vector<ShardReport> Shards::reports() const {
  if (count() == 1) first_.publish();
  std::vector<ShardReport> all;
  for (std::size_t number = 0; number < count(); ++number) all.push_back(at(number).report());
  return all;
}

}  // namespace lunfs::fs
