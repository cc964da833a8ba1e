#include "base/attempt.h"

#include <exception>
#include <utility>

#include "base/spawn.h"
#include "base/wake_up.h"

namespace lunfs {

struct Attempt::State {
  explicit State(Reactor& reactor) : ended(reactor) {}

  WakeUp ended;
  bool let_go = false;  ///< nobody waits any more, and the reactor may be gone
  bool done = false;
  std::exception_ptr failure{};
};

Attempt::Attempt(Reactor& reactor, Task<void> task) : state_(std::make_shared<State>(reactor)) {
  spawn(std::move(task), [state = state_](std::exception_ptr failure) {
    state->done = true;
    state->failure = std::move(failure);
    if (!state->let_go) state->ended.wake();
  });
}

Attempt::~Attempt() { state_->let_go = true; }

Task<void> Attempt::wait(RequestContext& limit) {
  while (!state_->done) {
    limit.check();
    co_await state_->ended.until(limit);
  }
  if (state_->failure) std::rethrow_exception(state_->failure);
}

}  // namespace lunfs
