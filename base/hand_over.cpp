#include "base/hand_over.h"

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/spawn.h"

namespace lunfs {

namespace {

/// Both threads hold it, as each has callbacks posted that may come late. Who may touch what is
/// told by the order of the posts: the work's thread from begin() to its end, then the caller's.
struct HandedOver : std::enable_shared_from_this<HandedOver> {
  HandedOver(Reactor& work_place, Reactor& home) : there(work_place), here(home) {}

  Reactor& there;
  Reactor& here;
  std::function<Task<void>(RequestContext&)> work{};
  Cancellation cancellation{};  ///< the work's thread only
  RequestContext context{};     ///< the work's thread only, once it was begun
  std::exception_ptr failure{};
  std::coroutine_handle<> caller{};

  void begin() {
    try {
      spawn(work(context), [self = shared_from_this()](std::exception_ptr ended_by) {
        self->end(std::move(ended_by));
      });
    } catch (...) {  // no memory for its frame
      end(std::current_exception());
    }
  }

  void end(std::exception_ptr ended_by) {
    failure = std::move(ended_by);
    here.post([self = shared_from_this()] { self->caller.resume(); });
  }
};

struct Wait {
  HandedOver& handed;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) const {
    handed.caller = caller;
    handed.there.post([self = handed.shared_from_this()] { self->begin(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Task<void> run_on(Reactor& there, Reactor& here, RequestContext& context,
                  std::function<Task<void>(RequestContext& context)> work) {
  if (&there == &here) {
    co_await work(context);
    co_return;
  }
  const auto handed = std::make_shared<HandedOver>(there, here);
  handed->work = std::move(work);
  handed->context = {.deadline = context.deadline, .cancellation = &handed->cancellation};
  {
    const Cancellation::Registration registration(context.cancellation, [&there, handed] {
      there.post([handed] { handed->cancellation.request(); });
    });
    co_await Wait{*handed};
  }
  // What the work captured ends on the thread that it came from.
  handed->work = nullptr;
  if (handed->failure) std::rethrow_exception(std::exchange(handed->failure, nullptr));
}

}  // namespace lunfs
