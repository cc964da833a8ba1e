#include "iscsi/path_watch.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/path_probe.h"

namespace lunfs::iscsi {

namespace {

PathSet::Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

void PathWatch::use(std::size_t path) {
  const auto down = set_.use(path, now());
  if (down && set_.several()) {
    log::warn("portal={}: path is back after {:.1f} s", portal_text(path), down->count());
  }
}

void PathWatch::lose(const std::string& reason, bool good) {
  const std::size_t path = set_.current();
  set_.lose(reason, good, now());
  if (set_.several()) log::warn("portal={}: path is down: {}", portal_text(path), reason);
}

void PathWatch::leave(const std::string& why, bool good, std::optional<AccessState> access) {
  log::warn("portal={}: path is left: {}", portal_text(set_.current()), why);
  set_.leave(good, access, now());
}

bool PathWatch::answer(std::size_t path) {
  const auto down = set_.answer(path, now());
  if (down) log::warn("portal={}: path is back after {:.1f} s", portal_text(path), down->count());
  return down.has_value();
}

void PathWatch::fail(std::size_t path, const std::string& reason, bool refused) {
  const bool same = set_.at(path).reason == reason;
  const bool news = set_.fail(path, reason, now(), refused);
  if (!set_.several()) return;
  if (news) {
    log::warn("portal={}: path is down: {}", portal_text(path), reason);
  } else if (!same) {
    log::info("portal={}: path is not back: {}", portal_text(path), reason);
  }
}

std::string PathWatch::reasons() const {
  std::string text;
  for (const PathReport& path : set_.all()) {
    if (!text.empty()) text += "; ";
    text +=
        fmt::format("{}: {}", path.portal.text(), path.reason.empty() ? "not tried" : path.reason);
  }
  return text;
}

Task<void> PathWatch::look_at(RequestContext& context, std::size_t path, bool& came_back) {
  RequestContext look = RequestContext::within(kPatience);
  look.cancellation = context.cancellation;
  std::string fault;
  try {
    co_await probe_portal(look, reactor_, pool_, set_.at(path).portal);
  } catch (const Error& error) {
    fault = error.message();
  }
  // A login may have told more meanwhile.
  if (context.cancelled() || set_.at(path).state == PathReport::State::kInUse) co_return;
  if (!fault.empty()) {
    // That it does not answer now does not end a refusal, which only a login can.
    fail(path, fault, set_.at(path).state == PathReport::State::kRefused);
    co_return;
  }
  if (answer(path)) came_back = true;
}

Task<void> PathWatch::run(RequestContext& context, std::function<bool()> wanted,
                          std::function<void()> came_back) {
  for (;;) {
    if (wanted()) {
      bool back = false;
      std::vector<Task<void>> looks;
      for (std::size_t i = 0; i < set_.size(); ++i) {
        if (set_.at(i).state == PathReport::State::kInUse) continue;
        looks.push_back(look_at(context, i, back));
      }
      co_await when_all(std::move(looks));
      if (back && wanted()) came_back();
    }
    co_await reactor_.sleep_until(context, Reactor::Clock::now() + kEvery);
  }
}

}  // namespace lunfs::iscsi
