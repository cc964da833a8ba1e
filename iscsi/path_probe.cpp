#include "iscsi/path_probe.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/wake_up.h"
#include "iscsi/resolve.h"

namespace lunfs::iscsi {

namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// Never waits: the host is numeric.
AddressList socket_address(const PortalAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int fault =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (fault != 0) {
    throw Error(ErrorKind::kUnreachable,
                fmt::format("{}: {}", address.text(), gai_strerror(fault)));
  }
  return {list, &freeaddrinfo};
}

Error refusal(int fault, const PortalAddress& address) {
  const Error error = system_error(fault, fmt::format("connecting to {}", address.text()));
  return {error.kind() == ErrorKind::kTimedOut ? ErrorKind::kTimedOut : ErrorKind::kUnreachable,
          error.message()};
}

Task<void> connect_once(RequestContext& context, Reactor& reactor, const PortalAddress& address) {
  const AddressList to = socket_address(address);
  const FileDescriptor fd(
      socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) throw refusal(errno, address);
  if (connect(fd.get(), to->ai_addr, to->ai_addrlen) == 0) co_return;
  if (errno != EINPROGRESS) throw refusal(errno, address);
  WakeUp ended(reactor);
  bool told = false;
  const Reactor::Watch watch = reactor.watch(fd.get(), EPOLLOUT, [&](std::uint32_t) {
    told = true;
    ended.wake();
  });
  while (!told) {
    co_await ended.until(context);
    if (!told) context.check();
  }
  int fault = 0;
  socklen_t size = sizeof(fault);
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &fault, &size);
  if (fault != 0) throw refusal(fault, address);
}

}  // namespace

Task<void> probe_portal(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                        const PortalAddress& portal) {
  const std::vector<PortalAddress> addresses = co_await resolve(context, reactor, pool, portal);
  std::optional<Error> failure;
  auto left = static_cast<int>(addresses.size());
  for (const PortalAddress& address : addresses) {
    const auto now = RequestContext::Clock::now();
    RequestContext attempt = context;
    attempt.deadline = now + (context.deadline - now) / left--;
    try {
      co_await connect_once(attempt, reactor, address);
      co_return;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      failure = error.kind() == ErrorKind::kTimedOut
                    ? Error(ErrorKind::kTimedOut, fmt::format("{} does not answer", address.text()))
                    : error;
    }
  }
  throw *std::move(failure);
}

}  // namespace lunfs::iscsi
