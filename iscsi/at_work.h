#pragma once

#include "base/wake_up.h"

namespace lunfs::iscsi {

/// Counts a coroutine that works in the background, as long as it lives; wakes who waits for the
/// end of the last one. What it refers to outlives it.
class AtWork {
 public:
  AtWork(unsigned& count, WakeUp& ended) : count_(count), ended_(ended) { ++count_; }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  ~AtWork() {
    if (--count_ == 0) ended_.wake();
  }

 private:
  unsigned& count_;
  WakeUp& ended_;
};

}  // namespace lunfs::iscsi
