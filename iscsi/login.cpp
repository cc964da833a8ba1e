#include "iscsi/login.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "iscsi/resolve.h"

namespace lunfs::iscsi {

namespace {

constexpr int kMaxRedirections = 4;

std::string goal(const LoginRequest& request) {
  return request.connection.target
             ? fmt::format("login to {} at {}", request.connection.target->spelling(),
                           request.portal.text())
             : fmt::format("discovery at {}", request.portal.text());
}

std::string chap_text(const Chap& chap) {
  if (!chap.offered()) return "without CHAP";
  return fmt::format("with {} CHAP as user {}", chap.mutual() ? "mutual" : "one-way",
                     chap.username);
}

std::string access_list_advice(const LoginRequest& request) {
  return fmt::format("allow initiator {} in the array's access list",
                     request.connection.initiator_name);
}

std::string credentials_advice(const LoginRequest& request) {
  const std::string section =
      request.connection.target ? request.connection.target->text() : request.portal.text();
  const std::string prefix = request.connection.target ? "" : "discovery_";
  std::string text =
      request.connection.chap.offered()
          ? fmt::format(
                "compare {0}username and {0}password with what the array has for this "
                "initiator",
                prefix)
          : fmt::format("put {0}username and {0}password into section [{1}] of a credentials file",
                        prefix, section);
  if (!request.credentials_source.empty()) {
    text += fmt::format(" (credentials: {})", request.credentials_source);
  }
  return text;
}

std::string refusal_of_chap(const Chap& chap) {
  if (!chap.offered()) return "the target asks for CHAP and no credentials were found";
  std::string text = "the user name or the secret is not the one the target has";
  if (chap.mutual()) text += ", or the target is not set up for mutual CHAP";
  return text;
}

struct Refusal {
  std::uint16_t status;
  ErrorKind kind;
  std::string_view name;
};

constexpr std::array kRefusals = std::to_array<Refusal>({
    {0x0102, ErrorKind::kUnsupported, "the target has moved for good"},
    {0x0200, ErrorKind::kUnreachable, "initiator error"},
    {0x0201, ErrorKind::kAuth, "authentication failure"},
    {0x0202, ErrorKind::kAuth, "authorization failure"},
    {0x0203, ErrorKind::kNotFound, "target not found"},
    {0x0204, ErrorKind::kNotFound, "target removed"},
    {0x0205, ErrorKind::kUnsupported, "unsupported version"},
    {0x0206, ErrorKind::kBusy, "too many connections"},
    {0x0207, ErrorKind::kAuth, "missing parameter"},
    {0x0208, ErrorKind::kUnreachable, "cannot include in session"},
    {0x0209, ErrorKind::kUnsupported, "session type not supported"},
    {0x020a, ErrorKind::kUnreachable, "session does not exist"},
    {0x020b, ErrorKind::kUnreachable, "invalid request during login"},
    {0x0300, ErrorKind::kUnreachable, "target error"},
    {0x0301, ErrorKind::kBusy, "service unavailable"},
    {0x0302, ErrorKind::kBusy, "out of resources"},
});

Error not_answering(const LoginRequest& request, const Error& error) {
  return Error(ErrorKind::kTimedOut,
               fmt::format("{}: no answer within the login timeout", goal(request)))
      .because(error.cause().empty() ? "a firewall drops the packets, or what listens on that port "
                                       "is not an iSCSI target"
                                     : error.cause())
      .advise(
          "check host, port and firewall, or give the login more time (a mount: -o "
          "login_timeout=S; a tool: --timeout or --login-timeout)");
}

/// Tries the addresses in turn; the last one's error counts.
Task<std::unique_ptr<Connection>> connect_to_any(RequestContext& context, Reactor& reactor,
                                                 const std::vector<PortalAddress>& addresses,
                                                 const LoginRequest& request) {
  std::optional<Error> failure;
  std::size_t left = addresses.size();
  for (const PortalAddress& address : addresses) {
    auto connection = std::make_unique<Connection>(reactor, request.connection);
    // An address that swallows packets must not use up the time of the others.
    const auto now = RequestContext::Clock::now();
    RequestContext attempt = context;
    attempt.deadline = now + std::min<RequestContext::Clock::duration>(
                                 (context.deadline - now) / left--, request.connect_limit);
    try {
      co_await connection->connect(attempt, address);
      if (request.on_connected) request.on_connected();
      co_return connection;
    } catch (const Error& error) {
      const bool try_next = error.kind() == ErrorKind::kUnreachable ||
                            (error.kind() == ErrorKind::kTimedOut && left > 0);
      if (!try_next) throw;
      failure = error;
    }
  }
  throw std::move(*failure)
      .because("no iSCSI target listens there, or a firewall refuses")
      .advise("check host and port (iSCSI uses 3260) and whether the target runs");
}

void tell_login(const LoginRequest& request, const Connection& connection) {
  const std::string text =
      fmt::format("{} {}: logged in to {}", goal(request), chap_text(request.connection.chap),
                  connection.address().text());
  if (request.quiet) {
    log::debug("{}", text);
  } else {
    log::info("{}", text);
  }
}

Task<LoginAnswer> log_in_once(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                              const LoginRequest& request,
                              std::unique_ptr<Connection>& connection) {
  const std::vector<PortalAddress> addresses =
      co_await resolve(context, reactor, pool, request.portal);
  connection = co_await connect_to_any(context, reactor, addresses, request);
  co_return co_await connection->login(context);
}

Error wrong_proof(const LoginRequest& request) {
  return with_login_advice(
      request,
      Error(ErrorKind::kAuth,
            "the target did not prove itself: its CHAP name or response is not "
            "the expected one")
          .because("username_in or password_in is not what the target has, or it is not the target "
                   "it claims to be"));
}

}  // namespace

Error refused_login(const LoginRequest& request, std::uint16_t status) {
  const auto found = std::find_if(kRefusals.begin(), kRefusals.end(),
                                  [&](const Refusal& refusal) { return refusal.status == status; });
  const Chap& chap = request.connection.chap;
  Error error(found == kRefusals.end() ? ErrorKind::kUnreachable : found->kind,
              fmt::format("{} {} was refused: {} ({:#06x})", goal(request), chap_text(chap),
                          found == kRefusals.end() ? "unknown reason" : found->name, status));
  switch (status) {
    case 0x0201:
    case 0x0207:
      error.set_cause(refusal_of_chap(chap));
      error.set_remedy(
          fmt::format("{}; {}", credentials_advice(request), access_list_advice(request)));
      break;
    case 0x0202:
      error.set_cause("the target does not let this initiator in");
      error.set_remedy(access_list_advice(request));
      break;
    case 0x0203:
    case 0x0204:
      error.set_cause(
          "there is no target of that name, or this initiator is not allowed to see "
          "it (many arrays answer the same to both)");
      error.set_remedy(fmt::format("check the target's name, and {}", access_list_advice(request)));
      break;
    default:
      error.set_remedy("look at the array's log");
      break;
  }
  return error;
}

Error with_login_advice(const LoginRequest& request, Error error) {
  if (error.kind() != ErrorKind::kAuth) return error;
  error.add_context(fmt::format("{} {}", goal(request), chap_text(request.connection.chap)));
  const std::string prefix = request.connection.target ? "" : "discovery_";
  error.set_remedy(fmt::format(
      "compare {0}username_in and {0}password_in with what the array has{1}; {2}", prefix,
      request.credentials_source.empty()
          ? std::string()
          : fmt::format(" (credentials: {})", request.credentials_source),
      access_list_advice(request)));
  return error;
}

Task<std::unique_ptr<Connection>> log_in(RequestContext& context, Reactor& reactor,
                                         ThreadPool& pool, const LoginRequest& request) {
  LoginRequest current = request;
  for (int i = 0; i <= kMaxRedirections; ++i) {
    std::unique_ptr<Connection> connection;
    LoginAnswer answer;
    try {
      answer = co_await log_in_once(context, reactor, pool, current, connection);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kTimedOut) throw not_answering(current, error);
      if (error.kind() == ErrorKind::kAuth) throw with_login_advice(current, error);
      Error failure = error;
      if (error.kind() == ErrorKind::kUnreachable) {
        failure.add_context(goal(current));
        failure.set_cause(
            "what listens there is no iSCSI target, has no target configured, or is ending");
        failure.set_remedy("check host and port, and look at the array's log");
      }
      throw failure;
    }
    switch (answer.kind) {
      case LoginAnswer::Kind::kAccepted:
        if (!connection->tap().active()) {
          log::warn("{}: what libiscsi receives cannot be checked on this system", goal(current));
        }
        tell_login(current, *connection);
        co_return connection;
      case LoginAnswer::Kind::kRefused:
        throw refused_login(current, answer.status);
      case LoginAnswer::Kind::kWrongProof:
        throw wrong_proof(current);
      case LoginAnswer::Kind::kMoved:
        break;
    }
    // The portal group's tag, if any, stands behind a comma.
    current.portal = PortalAddress::parse(answer.address.substr(0, answer.address.find(',')));
    log::info("{}: redirected to {}", goal(request), current.portal.text());
  }
  throw Error(ErrorKind::kUnreachable,
              fmt::format("{}: redirected more than {} times", goal(request), kMaxRedirections))
      .because("the portals of the array redirect to one another")
      .advise("name the portal that serves the target");
}

}  // namespace lunfs::iscsi
