#pragma once

#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/login.h"

namespace lunfs::iscsi {

/// The targets that a portal shows this initiator: one discovery session with SendTargets=All.
///
/// `request.connection` has the initiator's name and the discovery CHAP; its target is left aside.
/// Errors: log_in()'s.
Task<std::vector<DiscoveredTarget>> discover_targets(RequestContext& context, Reactor& reactor,
                                                     ThreadPool& pool, LoginRequest request);

}  // namespace lunfs::iscsi
