#pragma once

#include <list>

#include "base/wake_up.h"

namespace lunfs {

/// The waits of coroutines that one event ends. Belongs to the reactor's thread.
class WakeUpLine {
 public:
  /// A wait's place in the line, as long as this lives. `wait` and `line` outlive it.
  class Place {
   public:
    Place(WakeUpLine& line, WakeUp& wait)
        : line_(line), place_(line.waits_.insert(line.waits_.end(), &wait)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { line_.waits_.erase(place_); }

   private:
    WakeUpLine& line_;
    std::list<WakeUp*>::iterator place_;
  };

  /// In order of arrival.
  void wake_all() noexcept {
    for (WakeUp* one : waits_) one->wake();
  }

 private:
  std::list<WakeUp*> waits_;
};

}  // namespace lunfs
