#pragma once

#include <chrono>
#include <functional>
#include <list>

namespace lunfs {

/// Tells running work that its caller has given up. One thread at a time.
class Cancellation {
 public:
  using Callback = std::function<void()>;

  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  [[nodiscard]] bool requested() const noexcept { return requested_; }

  /// Calls every registered callback once, in order of registration; one registered later is called
  /// at once. A callback may end registrations, its own too.
  void request();

  /// Holds a callback registered for as long as it lives.
  class Registration {
   public:
    Registration() = default;
    /// `cancellation` may be null: then nothing is registered.
    Registration(Cancellation* cancellation, Callback callback);
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration();

   private:
    Cancellation* cancellation_ = nullptr;
    std::list<Callback>::iterator place_;
  };

 private:
  bool requested_ = false;
  std::list<Callback> callbacks_;  ///< not yet called
  std::list<Callback> done_;       ///< called, still registered; empty functions
};

/// What a request carries through all layers: when it must have ended, and whether its caller still
/// waits. Outlives every task that it was passed to.
struct RequestContext {
  using Clock = std::chrono::steady_clock;

  /// Work not done by then fails with ErrorKind::kTimedOut; max() = no deadline of its own.
  Clock::time_point deadline = Clock::time_point::max();
  /// Null where nobody can cancel. Work that was not yet sent ends as ErrorKind::kCancelled; what
  /// was already sent runs to its end.
  Cancellation* cancellation = nullptr;

  static RequestContext within(std::chrono::milliseconds limit) {
    return {.deadline = Clock::now() + limit, .cancellation = nullptr};
  }

  [[nodiscard]] bool cancelled() const noexcept {
    return cancellation != nullptr && cancellation->requested();
  }

  /// Throws kCancelled or kTimedOut if the request has no claim to go on.
  void check() const;
};

}  // namespace lunfs
