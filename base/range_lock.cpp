#include "base/range_lock.h"

namespace lunfs {

/// Holds the line's mutex where there is somebody to keep out.
class RangeLock::Line::Guard {
 public:
  explicit Guard(const Line& line) : mutex_(line.shared_ ? &line.mutex_ : nullptr) {
    if (mutex_ != nullptr) mutex_->lock();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    if (mutex_ != nullptr) mutex_->unlock();
  }

 private:
  std::mutex* mutex_;
};

RangeLock::Entry::Entry(Line& line, Reactor& reactor, Mode mode, std::uint64_t offset,
                        std::uint64_t length)
    : line_(line),
      reactor_(reactor),
      mode_(mode),
      begin_(offset),
      end_(offset + length),
      wake_up_(reactor) {
  line_.enter(*this);
}

RangeLock::Entry::~Entry() {
  line_.leave(*this);
  if (address_) address_->entry = nullptr;
}

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

bool RangeLock::Line::empty() const noexcept {
  const Guard guard(*this);
  return first_ == nullptr;
}

void RangeLock::Line::enter(Entry& entry) {
  const Guard guard(*this);
  std::uint32_t blockers = 0;
  // Plain writes while nobody reads, modifies and writes: the common case costs no search.
  if (entry.mode_ == Mode::kExclusive || exclusive_ > 0) {
    for (const Entry* earlier = first_; earlier != nullptr; earlier = earlier->next_) {
      if (entry.conflicts_with(*earlier)) ++blockers;
    }
  }
  if (blockers > 0) {
    if (shared_) entry.address_ = std::make_shared<Entry::Address>(Entry::Address{&entry});
    entry.count_blockers(blockers);
    ++waiting_;
  }
  if (entry.mode_ == Mode::kExclusive) ++exclusive_;

  entry.previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = &entry;
  last_ = &entry;
}

void RangeLock::Line::leave(Entry& entry) noexcept {
  const Guard guard(*this);
  (entry.previous_ == nullptr ? first_ : entry.previous_->next_) = entry.next_;
  (entry.next_ == nullptr ? last_ : entry.next_->previous_) = entry.previous_;
  if (entry.mode_ == Mode::kExclusive) --exclusive_;
  if (!entry.granted()) --waiting_;

  for (Entry* later = entry.next_; later != nullptr && waiting_ > 0; later = later->next_) {
    if (!entry.conflicts_with(*later)) continue;
    const std::uint32_t left = later->blockers_.load(std::memory_order_relaxed) - 1;
    if (left == 0) --waiting_;
    // Under the lock until here: once it is granted its thread may end it, which takes the lock.
    later->count_blockers(left);
    if (left == 0) let_go(*later, entry.reactor_);
  }
}

/// `by` is the reactor of this thread.
void RangeLock::Line::let_go(Entry& entry, const Reactor& by) noexcept {
  if (&entry.reactor_ == &by) {
    entry.wake_up_.wake();
  } else {
    entry.reactor_.post([address = entry.address_] {
      if (address->entry != nullptr) address->entry->wake_up_.wake();
    });
  }
}

}  // namespace lunfs
