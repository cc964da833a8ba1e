#include "iscsi/discovery.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/error.h"

namespace lunfs::iscsi {

Task<std::vector<DiscoveredTarget>> discover_targets(RequestContext& context, Reactor& reactor,
                                                     ThreadPool& pool, LoginRequest request) {
  request.connection.target.reset();
  const std::unique_ptr<Connection> connection = co_await log_in(context, reactor, pool, request);
  std::vector<DiscoveredTarget> targets;
  try {
    targets = co_await connection->send_targets(context);
  } catch (Error& error) {
    error.add_context(fmt::format("the list of targets at {}", request.portal.text()));
    throw;
  }
  co_await connection->logout(context);
  co_return targets;
}

}  // namespace lunfs::iscsi
