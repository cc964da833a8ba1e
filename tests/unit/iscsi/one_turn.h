#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/spawn.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::testing {

/// Stops the target at a command. While the test waits for what the target does then, its reactor
/// stands still: all answers meet it in one turn.
class Gate {
 public:
  /// `reply` to the first command with `opcode` after shut(), when the gate is opened.
  [[nodiscard]] FakeTarget::Handler at(std::uint8_t opcode,
                                       std::function<FakeTarget::Reply()> reply) const {
    return [=, state = state_](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
      if (cdb.bytes[0] != opcode || !state->shut.exchange(false)) return std::nullopt;
      state->reached = true;
      wait_here([&] { return state->open.load(); });
      return reply();
    };
  }

  void shut() { state_->shut = true; }
  [[nodiscard]] bool reached() const { return state_->reached; }
  /// Ends when the target, which goes on, has come to `done`; no reactor runs meanwhile.
  void open(const std::function<bool()>& done) {
    state_->open = true;
    wait_here(done);
    EXPECT_TRUE(done());
  }

 private:
  struct State {
    std::atomic<bool> shut = false;
    std::atomic<bool> reached = false;
    std::atomic<bool> open = false;
  };
  static void wait_here(const std::function<bool()>& done) {
    for (int i = 0; i < 10000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// What became of calls that run side by side.
class Ends {
 public:
  /// For spawn().
  [[nodiscard]] auto note(const std::string& name) {
    return [this, name](const std::exception_ptr& failure) {
      order_.push_back(name);
      if (failure) faults_.emplace(name, fault_of(failure));
    };
  }

  [[nodiscard]] const std::vector<std::string>& order() const noexcept { return order_; }
  [[nodiscard]] std::size_t count() const noexcept { return order_.size(); }
  /// Nullopt: it has not failed.
  [[nodiscard]] std::optional<ErrorKind> fault(const std::string& name) const {
    const auto found = faults_.find(name);
    if (found == faults_.end()) return std::nullopt;
    return found->second;
  }

 private:
  static ErrorKind fault_of(const std::exception_ptr& failure) {
    return FakeLun::fault([&] { std::rethrow_exception(failure); }).kind();
  }

  std::vector<std::string> order_;
  std::map<std::string, ErrorKind> faults_;
};

}  // namespace lunfs::testing
