#pragma once

#include <thread>

#include "base/reactor.h"

namespace lunfs::testing {

/// A reactor that turns on a thread of its own until this ends.
class ReactorThread {
 public:
  ReactorThread() : thread_([this] { reactor_.run(); }) {}
  ReactorThread(const ReactorThread&) = delete;
  ReactorThread& operator=(const ReactorThread&) = delete;
  ~ReactorThread() { reactor_.stop(); }

  [[nodiscard]] Reactor& reactor() noexcept { return reactor_; }
  [[nodiscard]] std::thread::id id() const { return thread_.get_id(); }

 private:
  Reactor reactor_;
  std::jthread thread_;
};

}  // namespace lunfs::testing
