#include "base/request_context.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"

namespace lunfs {

void Cancellation::request() {
  if (requested_) return;
  requested_ = true;
  while (!callbacks_.empty()) {
    // Moved to a local first: a callback may end the registration of another one.
    std::list<Callback> one;
    one.splice(one.begin(), callbacks_, callbacks_.begin());
    const Callback callback = std::exchange(one.front(), nullptr);
    done_.splice(done_.end(), one);
    callback();
  }
}

bool Cancellation::all_requested() const noexcept {
  return std::all_of(callers_.begin(), callers_.end(), [](const Cancellation* caller) {
    return caller != nullptr && caller->requested();
  });
}

Cancellation::Registration::Registration(Cancellation* cancellation, Callback callback)
    : cancellation_(cancellation) {
  if (cancellation_ == nullptr) return;
  auto& list = cancellation_->requested_ ? cancellation_->done_ : cancellation_->callbacks_;
  if (cancellation_->requested_) {
    callback();
    callback = nullptr;
  }
  place_ = list.insert(list.end(), std::move(callback));
}

Cancellation::Registration::~Registration() {
  if (cancellation_ == nullptr) return;
  // splice keeps iterators valid, whichever list the entry is in now
  std::list<Callback> gone;
  auto& home = *place_ ? cancellation_->callbacks_ : cancellation_->done_;
  gone.splice(gone.begin(), home, place_);
}

Revocation::~Revocation() { delete why_.load(); }

void Revocation::revoke(const Error& why) {
  auto mine = std::make_unique<const Error>(why);
  const Error* none = nullptr;
  if (why_.compare_exchange_strong(none, mine.get())) static_cast<void>(mine.release());
}

void Revocation::check() const {
  if (const Error* why = why_.load(std::memory_order_acquire)) throw Error(*why);
}

void RequestContext::check() const {
  check_revocation();
  if (cancelled()) throw Error(ErrorKind::kCancelled, "the caller gave up");
  if (deadline != Clock::time_point::max() && Clock::now() >= deadline) {
    throw Error(ErrorKind::kTimedOut, "the deadline has passed");
  }
}

}  // namespace lunfs
