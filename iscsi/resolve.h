#pragma once

#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/lun_url.h"

namespace lunfs::iscsi {

/// The numeric addresses of a portal, in the order the system's resolver prefers, doubles left out,
/// at most 16. A numeric host never leaves the thread; a name is looked up on `pool`.
///
/// kUnreachable if the name has no address, kTimedOut and kCancelled as the context says; a look-up
/// that nobody waits for any more ends by itself on the pool.
Task<std::vector<PortalAddress>> resolve(RequestContext& context, Reactor& reactor,
                                         ThreadPool& pool, const PortalAddress& portal);

}  // namespace lunfs::iscsi
