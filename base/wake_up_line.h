#pragma once

#include <iterator>
#include <list>

#include "base/wake_up.h"

namespace lunfs {

/// The waits of coroutines that one event ends, who came first in front. Belongs to the reactor's
/// thread.
class WakeUpLine {
 public:
  using Clock = WakeUp::Clock;

 private:
  struct Waiting {
    WakeUp* wait;
    Clock::time_point since;
  };

 public:
  /// A wait's place in the line, as long as this lives. `wait` and `line` outlive it. `since` may
  /// be long ago: who waits again after each event is not overtaken by who came later.
  class Place {
   public:
    Place(WakeUpLine& line, WakeUp& wait, Clock::time_point since)
        : line_(line), place_(line.waits_.insert(line.after_all_before(since), {&wait, since})) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { line_.waits_.erase(place_); }

   private:
    WakeUpLine& line_;
    std::list<Waiting>::iterator place_;
  };

  /// In order.
  void wake_all() noexcept {
    for (const Waiting& one : waits_) one.wait->wake();
  }

 private:
  [[nodiscard]] std::list<Waiting>::iterator after_all_before(Clock::time_point since) noexcept {
    auto place = waits_.end();
    while (place != waits_.begin() && since < std::prev(place)->since) --place;
    return place;
  }

  std::list<Waiting> waits_;
};

}  // namespace lunfs
