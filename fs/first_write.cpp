#include "fs/first_write.h"

#include <functional>
#include <utility>

#include "base/hand_over.h"

namespace lunfs::fs {

Task<void> FirstWrite::ensure(RequestContext& context, Reactor& here) {
  std::function<Task<void>(RequestContext&)> look = [this](RequestContext& there) {
    return quiescence_.ensure(there);
  };
  co_await run_on(owner_, here, context, std::move(look));
  safe_.store(true, std::memory_order_release);
}

}  // namespace lunfs::fs
