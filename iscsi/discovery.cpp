#include "iscsi/discovery.h"

#include <fmt/format.h>

#include <algorithm>
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

std::vector<PortalAddress> portals_of(const DiscoveredTarget& target, const PortalAddress& asked,
                                      std::size_t most) {
  std::vector<PortalAddress> portals = {asked};
  for (const std::string& text : target.portals) {
    if (portals.size() >= most) break;
    try {
      // The portal group's tag stands behind a comma.
      auto portal = PortalAddress::parse(text.substr(0, text.rfind(',')));
      if (std::find(portals.begin(), portals.end(), portal) == portals.end()) {
        portals.push_back(std::move(portal));
      }
    } catch (const Error&) {
      continue;  // what cannot be parsed cannot be reached
    }
  }
  return portals;
}

}  // namespace lunfs::iscsi
