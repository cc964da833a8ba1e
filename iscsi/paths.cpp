#include "iscsi/paths.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lunfs::iscsi {

namespace {

using Seconds = std::chrono::duration<double>;

/// A path that tells no state is as good as the best.
unsigned rank_or_best(const std::optional<AccessState>& state) noexcept {
  return state ? rank_of(*state) : 0U;
}

bool is_down(PathReport::State state) noexcept {
  return state == PathReport::State::kDown || state == PathReport::State::kRefused;
}

}  // namespace

std::string_view name_of(PathReport::State state) noexcept {
  switch (state) {
    case PathReport::State::kUnknown:
      return "unknown";
    case PathReport::State::kInUse:
      return "in use";
    case PathReport::State::kUp:
      return "standby";
    case PathReport::State::kRefused:
      return "refused";
    case PathReport::State::kDown:
      break;
  }
  return "down";
}

PathSet::PathSet(const std::vector<PortalAddress>& portals, std::size_t first) {
  for (const PortalAddress& portal : portals) {
    const bool twice = std::any_of(paths_.begin(), paths_.end(),
                                   [&](const PathReport& path) { return path.portal == portal; });
    if (!twice && paths_.size() < kMost)
      paths_.push_back({.portal = portal, .reason = {}, .access = {}});
  }
  known_.resize(paths_.size());
  // The round begins behind the current one.
  current_ = (first + paths_.size() - 1) % paths_.size();
}

PathSet::Turn PathSet::next() {
  Turn turn;
  std::optional<std::size_t> path = best_untried();
  if (!path) {
    path = best_aside();
    turn.last_choice = path.has_value();
  }
  if (!path) {
    begin_round();
    turn.new_round = true;
    path = best_untried();
  }
  turn.path = *path;
  known_[turn.path].tried = true;
  known_[turn.path].aside.reset();
  return turn;
}

bool PathSet::take(const Turn& turn, std::optional<AccessState> access) {
  if (!several() || !access) return true;
  if (!usable(*access)) return false;
  if (turn.last_choice || *access == AccessState::kOptimized) return true;
  if (!any_left()) {
    const auto other = best_aside();
    if (!other || rank_or_best(known_[*other].aside) >= rank_of(*access)) return true;
  }
  known_[turn.path].aside = access;
  return false;
}

std::optional<Seconds> PathSet::use(std::size_t path, Time now) {
  if (path != current_ && paths_[current_].state == PathReport::State::kInUse) {
    paths_[current_].state = PathReport::State::kUp;
    paths_[current_].since = now;
  }
  current_ = path;
  known_[path].tried = true;
  for (Known& one : known_) one.aside.reset();
  return come_up(path, PathReport::State::kInUse, now);
}

void PathSet::lose(std::string reason, bool good, Time now) {
  if (good) begin_round();
  known_[current_].tried = !good;
  fail(current_, std::move(reason), now);
}

void PathSet::leave(bool good, std::optional<AccessState> access, Time now) {
  if (good) begin_round();
  known_[current_].tried = !good;
  if (access) paths_[current_].access = access;
  come_up(current_, PathReport::State::kUp, now);
}

bool PathSet::fail(std::size_t path, std::string reason, Time now, bool refused) {
  PathReport& report = paths_[path];
  const bool news = !is_down(report.state);
  if (news) report.since = now;
  report.state = refused ? PathReport::State::kRefused : PathReport::State::kDown;
  report.reason = std::move(reason);
  return news;
}

std::optional<Seconds> PathSet::answer(std::size_t path, Time now) {
  const PathReport::State state = paths_[path].state;
  if (state == PathReport::State::kInUse || state == PathReport::State::kRefused) return {};
  return come_up(path, PathReport::State::kUp, now);
}

std::optional<Seconds> PathSet::come_up(std::size_t path, PathReport::State state, Time now) {
  PathReport& report = paths_[path];
  std::optional<Seconds> down;
  if (is_down(report.state)) down = now - report.since;
  if (report.state != state) report.since = now;
  report.state = state;
  report.reason.clear();
  return down;
}

void PathSet::note_access(std::size_t path, const PortPlace& place,
                          const std::vector<PortGroup>& groups) {
  known_[path].place = place;
  best_told_.reset();
  for (const PortGroup& group : groups) {
    if (!best_told_ || rank_of(group.state) < rank_of(*best_told_)) best_told_ = group.state;
  }
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (const auto state = state_at(groups, known_[i].place)) paths_[i].access = state;
  }
}

bool PathSet::all_refused() const noexcept {
  return std::all_of(paths_.begin(), paths_.end(), [](const PathReport& path) {
    return path.state == PathReport::State::kRefused;
  });
}

bool PathSet::better_elsewhere() const {
  const auto& here = paths_[current_].access;
  if (!here || *here == AccessState::kOptimized) return false;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (i == current_ || is_down(paths_[i].state)) continue;
    // Where a path that was never asked leads to, only asking tells.
    const auto& there = paths_[i].access ? paths_[i].access : best_told_;
    if (there && usable(*there) && rank_of(*there) < rank_of(*here)) return true;
  }
  return false;
}

bool PathSet::any_left() const {
  return std::any_of(known_.begin(), known_.end(), [](const Known& one) { return !one.tried; });
}

std::optional<std::size_t> PathSet::best_aside() const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto& aside = known_[i].aside;
    if (aside && (!best || rank_of(*aside) < rank_or_best(known_[*best].aside))) best = i;
  }
  return best;
}

std::optional<std::size_t> PathSet::best_untried() const {
  std::optional<std::size_t> best;
  const auto worth = [&](std::size_t path) {
    return std::tuple(is_down(paths_[path].state), rank_or_best(paths_[path].access));
  };
  for (std::size_t step = 1; step <= paths_.size(); ++step) {
    const std::size_t path = (current_ + step) % paths_.size();
    if (!known_[path].tried && (!best || worth(path) < worth(*best))) best = path;
  }
  return best;
}

void PathSet::begin_round() {
  for (Known& one : known_) {
    one.tried = false;
    one.aside.reset();
  }
}

void LeftWrites::add(const Nexus& nexus) {
  settle(nexus);
  left_.push_back(nexus);
}

void LeftWrites::settle(const Nexus& nexus) {
  left_.erase(
      std::remove_if(left_.begin(), left_.end(), [&](const Nexus& one) { return nexus.ends(one); }),
      left_.end());
}

}  // namespace lunfs::iscsi
