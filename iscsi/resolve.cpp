#include "iscsi/resolve.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/spawn.h"
#include "base/wake_up.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxAddresses = 16;

struct LookUp {
  std::vector<std::string> hosts;
  int fault = 0;  ///< of getaddrinfo
};

LookUp look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  LookUp result;
  result.fault = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (result.fault != 0) return result;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (result.hosts.size() == kMaxAddresses) break;
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string numeric(text.data());
    if (std::find(result.hosts.begin(), result.hosts.end(), numeric) == result.hosts.end()) {
      result.hosts.push_back(numeric);
    }
  }
  freeaddrinfo(list);
  return result;
}

/// Shared because the waiting coroutine may leave before the look-up has ended.
struct PendingLookUp {
  explicit PendingLookUp(Reactor& reactor) : ended(reactor) {}
  WakeUp ended;
  std::optional<LookUp> result;
};

Task<void> run_look_up(Reactor& reactor, ThreadPool& pool, std::string host,
                       std::shared_ptr<PendingLookUp> pending) {
  LookUp result;
  co_await pool.run(reactor, [&] { result = look_up(host, AI_ADDRCONFIG); });
  pending->result = std::move(result);
  pending->ended.wake();
}

}  // namespace

Task<std::vector<PortalAddress>> resolve(RequestContext& context, Reactor& reactor,
                                         ThreadPool& pool, const PortalAddress& portal) {
  LookUp found = look_up(portal.host, AI_NUMERICHOST);
  if (found.fault != 0) {
    const auto pending = std::make_shared<PendingLookUp>(reactor);
    spawn(run_look_up(reactor, pool, portal.host, pending), [](const std::exception_ptr&) {});
    while (!pending->result) {
      co_await pending->ended.until(context);
      if (pending->result) break;
      try {
        context.check();
      } catch (Error& error) {
        error.set_cause(fmt::format("no name server told the address of {}", portal.host));
        throw;
      }
    }
    found = std::move(*pending->result);
  }
  if (found.hosts.empty()) {
    throw Error(ErrorKind::kUnreachable,
                fmt::format("the address of host {} was not found: {}", portal.host,
                            found.fault == 0 ? "no usable address" : gai_strerror(found.fault)))
        .because("the name is misspelt, or name resolution does not work")
        .advise("check the host name, or give the portal's IP address");
  }
  std::vector<PortalAddress> addresses;
  for (std::string& host : found.hosts) addresses.push_back({std::move(host), portal.port});
  co_return addresses;
}

}  // namespace lunfs::iscsi
