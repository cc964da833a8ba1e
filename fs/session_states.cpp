#include "fs/session_states.h"

#include "base/error.h"

namespace lunfs::fs {

SessionStates::State SessionStates::of(iscsi::SessionState::Kind kind) noexcept {
  switch (kind) {
    case iscsi::SessionState::Kind::kUp:
      return State::kUp;
    case iscsi::SessionState::Kind::kRefused:
      return State::kRefused;
    case iscsi::SessionState::Kind::kLost:
    case iscsi::SessionState::Kind::kClosed:
      break;
  }
  return State::kAway;
}

bool SessionStates::set(std::size_t shard, State state) noexcept {
  const State before = states_[shard].exchange(state);
  if (before == state) return false;
  if (state == State::kRefused) ++refused_;
  if (before == State::kRefused) --refused_;
  if (state == State::kUp) ++up_;
  if (before == State::kUp) --up_;
  return true;
}

bool SessionStates::takes_requests(std::size_t shard) const noexcept {
  return states_[shard].load() == State::kUp || up_.load() == 0;
}

void SessionStates::check() const {
  if (refused_.load(std::memory_order_relaxed) == 0) return;
  throw Error(ErrorKind::kIo,
              "one of the mount's sessions found another LUN or a changed VG in its place, so none "
              "of them is used");
}

}  // namespace lunfs::fs
