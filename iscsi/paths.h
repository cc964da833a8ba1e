#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iscsi/alua.h"
#include "iscsi/lun_url.h"

namespace lunfs::iscsi {

/// What is known of one way to a target.
struct PathReport {
  enum class State {
    kUnknown,  ///< never tried
    kInUse,    ///< the session runs there
    kUp,       ///< stands by: it answered when it was last asked
    kDown,
    kRefused,  ///< down, and only a login can tell that it is not: another LUN stood there
  };
  PortalAddress portal;
  State state = State::kUnknown;
  std::chrono::steady_clock::time_point since{};  ///< of `state`; the epoch if never tried
  std::string reason;                             ///< why it is down; else empty
  std::optional<AccessState> access;              ///< when it was last asked; none: not told
};

/// As status.json shows it: "unknown", "in use", "standby", "down", "refused".
[[nodiscard]] std::string_view name_of(PathReport::State state) noexcept;
/// Whether the path is known to work.
[[nodiscard]] constexpr bool is_up(PathReport::State state) noexcept {
  return state == PathReport::State::kInUse || state == PathReport::State::kUp;
}

/// The paths to one LUN, one of them in use, and which is to be tried next. Pure: no I/O, no clock.
///
/// Logins go in rounds, in which every path has its turn once. The best access state that is known
/// goes first, then what is not known to be down, then the order of the list from the path in use
/// on. A path that was lost after it had worked for long begins a round, in which it comes last;
/// one that was lost soon has had its turn.
class PathSet {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMost = 16;

  /// Doubles are left out, and what is more than kMost.
  /// @param portals  at least one
  /// @param first    where the first round begins, modulo their number
  PathSet(const std::vector<PortalAddress>& portals, std::size_t first);

  [[nodiscard]] std::size_t size() const noexcept { return paths_.size(); }
  [[nodiscard]] bool several() const noexcept { return paths_.size() > 1; }
  [[nodiscard]] const PathReport& at(std::size_t path) const { return paths_[path]; }
  [[nodiscard]] const std::vector<PathReport>& all() const noexcept { return paths_; }
  /// The one in use, or that was the last to be.
  [[nodiscard]] std::size_t current() const noexcept { return current_; }

  /// A path to log in at.
  struct Turn {
    std::size_t path = 0;
    bool new_round = false;    ///< all have had their turn before
    bool last_choice = false;  ///< what was put aside in this round: there is no better one
  };
  /// Gives the next path its turn.
  Turn next();

  /// Every path has had its turn, and none was put aside.
  [[nodiscard]] bool round_over() const { return !any_left() && !best_aside(); }
  /// No path is left that is not refused.
  [[nodiscard]] bool all_refused() const noexcept;

  /// Whether a session that was made in this turn is the one to use: its state is the best there
  /// is, or no other path is left to be asked. Never for a state that allows no I/O, if there are
  /// several paths. A path that is not to be used may come again as last_choice.
  [[nodiscard]] bool take(const Turn& turn, std::optional<AccessState> access);

  /// `path` is in use from now on; the seconds that it had been down, if it was.
  std::optional<std::chrono::duration<double>> use(std::size_t path, Time now);
  /// The path in use works but is left for another, because of `access` if that is told.
  void leave(bool good, std::optional<AccessState> access, Time now);
  /// The path in use is lost. `good`: it had worked for long.
  void lose(std::string reason, bool good, Time now);
  /// A login at `path`, or asking it, failed. True if it was not down before.
  bool fail(std::size_t path, std::string reason, Time now, bool refused = false);
  /// `path` answers TCP: it stands by, unless it is in use or refused. The seconds that it had
  /// been down, if it was.
  std::optional<std::chrono::duration<double>> answer(std::size_t path, Time now);

  /// What the LUN has told at `path`: where that is, and the states of all groups.
  void note_access(std::size_t path, const PortPlace& place, const std::vector<PortGroup>& groups);
  /// Whether another path may be better than the one in use, by what the LUN told last.
  [[nodiscard]] bool better_elsewhere() const;

 private:
  struct Known {
    bool tried = false;                ///< has had its turn in this round
    std::optional<AccessState> aside;  ///< works, but was put aside in this round
    PortPlace place;
  };

  [[nodiscard]] bool any_left() const;
  [[nodiscard]] std::optional<std::size_t> best_aside() const;
  [[nodiscard]] std::optional<std::size_t> best_untried() const;
  void begin_round();
  std::optional<std::chrono::duration<double>> come_up(std::size_t path, PathReport::State state,
                                                       Time now);

  std::vector<PathReport> paths_;
  std::vector<Known> known_;              ///< of each path
  std::optional<AccessState> best_told_;  ///< of any group
  std::size_t current_ = 0;
};

/// Where a session came in, as far as the end of its commands goes: a target that lets a session in
/// with the id of an older one ends that one first, but only in the same portal group. Source: RFC
/// 7143 §6.3.5, §3.4.3.
struct Nexus {
  std::size_t path = 0;
  std::optional<std::uint16_t> portal_group;  ///< TargetPortalGroupTag; none: not told

  /// Whether a login here ends what a session there has left.
  [[nodiscard]] bool ends(const Nexus& other) const noexcept {
    if (portal_group && other.portal_group) return *portal_group == *other.portal_group;
    return path == other.path;
  }
};

/// Sessions that were lost with writes unanswered, which their target may still carry out.
class LeftWrites {
 public:
  void add(const Nexus& nexus);
  /// A session has come in at `nexus`: what it ends is settled.
  void settle(const Nexus& nexus);
  void settle_all() noexcept { left_.clear(); }
  [[nodiscard]] bool any() const noexcept { return !left_.empty(); }

 private:
  std::vector<Nexus> left_;  ///< no two that end one another
};

}  // namespace lunfs::iscsi
