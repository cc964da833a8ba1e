#pragma once

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/lun_url.h"

namespace lunfs::iscsi {

/// Asks whether anybody accepts TCP connections at a portal: opens one to each of its addresses in
/// turn, until one stands, and closes it without a word.
///
/// Errors: kUnreachable (refused, no route), kTimedOut (no answer within the context's deadline, of
/// which each address has its share), kCancelled, resolve()'s.
Task<void> probe_portal(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                        const PortalAddress& portal);

}  // namespace lunfs::iscsi
