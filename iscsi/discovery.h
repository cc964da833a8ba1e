#pragma once

#include <cstddef>
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

/// The portals to log in to `target` at, best first, no more than `most`. That which was asked
/// comes first: it can be reached from here, which holds for those that the target knows itself by
/// only if no address is translated in between. What a target names and cannot be parsed is left
/// out.
std::vector<PortalAddress> portals_of(const DiscoveredTarget& target, const PortalAddress& asked,
                                      std::size_t most = 4);

}  // namespace lunfs::iscsi
