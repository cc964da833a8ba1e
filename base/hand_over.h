#pragma once

#include <functional>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"

namespace lunfs {

/// Runs `work` on the thread of the reactor `there` and ends, on the thread of `here`, when the
/// work has ended; with its exception if it threw one. If both are the same it just runs.
///
/// @param here     the reactor whose thread calls and awaits this
/// @param context  its deadline and its cancellation reach the work through the context that `work`
///                 is given. The wait itself is not cut short: what the work refers to stays valid
///                 until this ends
/// Both reactors turn until this has ended.
Task<void> run_on(Reactor& there, Reactor& here, RequestContext& context,
                  std::function<Task<void>(RequestContext& context)> work);

}  // namespace lunfs
