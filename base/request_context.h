#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <utility>
#include <vector>

namespace lunfs {

class Error;

/// Tells running work that its caller has given up. One thread at a time.
class Cancellation {
 public:
  using Callback = std::function<void()>;

  Cancellation() = default;
  /// Of work that several callers share: requested when each of theirs is. That is seen by asking
  /// only, no callback is called then. They outlive this.
  explicit Cancellation(std::vector<const Cancellation*> callers) : callers_(std::move(callers)) {}
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  [[nodiscard]] bool requested() const noexcept {
    return requested_ || (!callers_.empty() && all_requested());
  }

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
  [[nodiscard]] bool all_requested() const noexcept;

  bool requested_ = false;
  std::vector<const Cancellation*> callers_;  ///< null: one that never gives up
  std::list<Callback> callbacks_;             ///< not yet called
  std::list<Callback> done_;                  ///< called, still registered; empty functions
};

/// Takes back what requests were resolved to, say because the bytes there are somebody else's now.
/// Those that are not sent yet fail from then on. Any thread.
class Revocation {
 public:
  Revocation() = default;
  Revocation(const Revocation&) = delete;
  Revocation& operator=(const Revocation&) = delete;
  ~Revocation();

  [[nodiscard]] bool done() const noexcept { return why_.load(std::memory_order_acquire); }
  /// Once and for ever: a second call changes nothing.
  void revoke(const Error& why);
  /// Throws `why` once it is revoked.
  void check() const;

 private:
  std::atomic<const Error*> why_ = nullptr;  ///< owned
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
  /// Null where nothing can be taken back. Checked last of all right before something is sent.
  const Revocation* revocation = nullptr;

  static RequestContext within(std::chrono::milliseconds limit) {
    return {.deadline = Clock::now() + limit, .cancellation = nullptr, .revocation = nullptr};
  }

  [[nodiscard]] bool cancelled() const noexcept {
    return cancellation != nullptr && cancellation->requested();
  }

  /// Throws the revocation's Error, kCancelled or kTimedOut if the request has no claim to go on.
  void check() const;
  /// Throws if what the request was resolved to does not count any more.
  void check_revocation() const {
    if (revocation != nullptr) revocation->check();
  }
};

}  // namespace lunfs
