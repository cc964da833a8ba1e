#include "base/range_lock.h"

namespace lunfs {

RangeLock::Entry::Entry(RangeLock& lock, Mode mode, std::uint64_t offset, std::uint64_t length)
    : lock_(lock), mode_(mode), begin_(offset), end_(offset + length), wake_up_(lock.reactor_) {
  lock_.enter(*this);
}

RangeLock::Entry::~Entry() { lock_.leave(*this); }

Task<void> RangeLock::Entry::wait(RequestContext& context) {
  while (!granted()) {
    context.check();
    co_await wake_up_.until(context);
  }
}

bool RangeLock::Entry::conflicts_with(const Entry& other) const noexcept {
  if (mode_ == Mode::kShared && other.mode_ == Mode::kShared) return false;
  return begin_ < other.end_ && other.begin_ < end_;
}

void RangeLock::enter(Entry& entry) noexcept {
  // Plain writes while nobody reads, modifies and writes: the common case costs no search.
  if (entry.mode_ == Mode::kExclusive || exclusive_ > 0) {
    for (const Entry* earlier = first_; earlier != nullptr; earlier = earlier->next_) {
      if (entry.conflicts_with(*earlier)) ++entry.blockers_;
    }
  }
  if (entry.mode_ == Mode::kExclusive) ++exclusive_;
  if (!entry.granted()) ++waiting_;

  entry.previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = &entry;
  last_ = &entry;
}

void RangeLock::leave(Entry& entry) noexcept {
  (entry.previous_ == nullptr ? first_ : entry.previous_->next_) = entry.next_;
  (entry.next_ == nullptr ? last_ : entry.next_->previous_) = entry.previous_;
  if (entry.mode_ == Mode::kExclusive) --exclusive_;
  if (!entry.granted()) --waiting_;

  for (Entry* later = entry.next_; later != nullptr && waiting_ > 0; later = later->next_) {
    if (!entry.conflicts_with(*later) || --later->blockers_ > 0) continue;
    --waiting_;
    later->wake_up_.wake();
  }
}

}  // namespace lunfs
