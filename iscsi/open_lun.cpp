#include "iscsi/open_lun.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "iscsi/command_runner.h"
#include "iscsi/discovery.h"
#include "iscsi/login.h"
#include "iscsi/lun_probe.h"
#include "iscsi/opened_lun.h"
#include "iscsi/path_access.h"
#include "iscsi/path_watch.h"
#include "iscsi/session.h"
#include "iscsi/session_keeper.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxNamesInError = 20;

/// What opens a LUN.
struct Opener {
  Reactor& reactor;
  ThreadPool& pool;
  const LunOptions& options;
};

std::string place_of(const LunOptions& options) {
  return fmt::format("LUN {} of {}", options.url.lun, options.url.target.spelling());
}

template <typename Names>
std::string listed(const Names& names) {
  const std::size_t shown = std::min(names.size(), kMaxNamesInError);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// `error` with the targets that the portal shows, or why it shows none.
Task<Error> naming_targets(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                           LoginRequest request, Error error) {
  std::vector<std::string> names;
  std::string fault;
  try {
    const auto targets = co_await discover_targets(context, reactor, pool, std::move(request));
    for (const DiscoveredTarget& target : targets) names.push_back(target.name);
  } catch (const Error& failure) {
    fault = failure.message();
  }
  std::string found = "the portal shows this initiator no target";
  if (!names.empty()) found = fmt::format("targets that can be seen: {}", listed(names));
  if (!fault.empty()) found = fmt::format("the targets could not be listed: {}", fault);
  co_return Error(error.kind(), fmt::format("{}; {}", error.message(), found))
      .because(error.cause())
      .advise(error.remedy());
}

LoginRequest login_request(const LunOptions& options) {
  return {.portal = options.url.portal,
          .connection = {.initiator_name = options.initiator_name,
                         .target = options.url.target,
                         .chap = options.chap,
                         .initiator_alias = options.initiator_alias,
                         .isid = Isid::random(),
                         .keep_alive = options.keep_alive},
          .credentials_source = options.credentials_source};
}

Task<std::unique_ptr<Connection>> log_in_naming_targets(RequestContext& context, Reactor& reactor,
                                                        ThreadPool& pool, const LunOptions& options,
                                                        LoginRequest request) {
  std::optional<Error> unknown_target;
  try {
    co_return co_await log_in(context, reactor, pool, request);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    unknown_target = error;
  }
  request.connection.chap = options.discovery_chap;
  // In two steps: g++ 12 destroys the object of a `throw co_await` twice.
  const Error named = co_await naming_targets(context, reactor, pool, std::move(request),
                                              *std::move(unknown_target));
  throw named;
}

Task<LunFeatures> probe_naming_luns(RequestContext& context, CommandRunner& runner,
                                    const LunOptions& options) {
  std::optional<Error> unusable;
  try {
    co_return co_await probe_lun(context, runner, options.url.lun);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    unusable = error;
  }
  std::vector<std::uint16_t> luns;
  try {
    luns = co_await report_luns(context, runner);
  } catch (const Error& error) {
    log::debug("REPORT LUNS: {}", error.message());
  }
  const std::string found = luns.empty() ? "the target shows this initiator no LUN"
                                         : fmt::format("LUNs that can be seen: {}", listed(luns));
  throw Error(unusable->kind(), fmt::format("{}; {}", unusable->message(), found))
      .because(unusable->cause().empty() ? "the number at the end of the URL is another one, or "
                                           "the LUN is not mapped to this initiator"
                                         : unusable->cause())
      .advise(fmt::format(
          "name one of the LUNs that can be seen, or map the LUN to initiator {} on the "
          "array",
          options.initiator_name));
}

/// What the first login has come to.
struct Opening {
  std::shared_ptr<Session> session;
  LunFeatures features;
};

/// What else than the LUN itself says that a login is the right one.
void check_expected(const LunOptions& options, const LunIdentity& found) {
  if (!options.expected || found == *options.expected) return;
  throw Error(
      ErrorKind::kUnsupported,
      fmt::format("it leads to another LUN: serial={} id={} {} bytes; expected serial={} "
                  "id={} {} bytes",
                  found.serial, found.designator, found.size_bytes, options.expected->serial,
                  options.expected->designator, options.expected->size_bytes))
      .because("the portals are those of different arrays, or the LUN was changed meanwhile")
      .advise("name portals that lead to the same LUN");
}

/// One path's turn. Null: it works, and another one may be better.
Task<std::optional<Opening>> open_over(RequestContext& context, const Opener& opener,
                                       const LoginRequest& request, const PathSet::Turn& turn,
                                       PathSet& paths) {
  const LunOptions& options = opener.options;
  std::unique_ptr<Connection> connection =
      co_await log_in_naming_targets(context, opener.reactor, opener.pool, options, request);
  const EndAtDeadline guard(
      *connection, context,
      fmt::format("{} did not answer within the login timeout", request.portal.text()));
  Opening opening{.session = std::make_shared<Session>(std::move(connection), options.url.lun,
                                                       options.command_timeout),
                  .features = {}};
  CommandRunner runner(*opening.session, options.retries);
  try {
    std::optional<AccessState> here;
    if (paths.several()) {
      const std::optional<PathAccess> access = co_await look_at_access(context, runner);
      if (access) paths.note_access(turn.path, access->place, access->groups);
      if (access) here = access->here;
    }
    if (!paths.take(turn, here)) {
      if (!usable(*here)) {
        throw Error(ErrorKind::kBusy, fmt::format("the LUN is {} there", name_of(*here)))
            .because("the array serves the LUN by other ports now")
            .advise("name the portals of those, too");
      }
      co_await opening.session->connection().logout(context);
      co_return std::nullopt;
    }
    opening.features = co_await probe_naming_luns(context, runner, options);
    check_expected(options, opening.features.identity);
  } catch (Error& error) {
    error.add_context(place_of(options));
    throw;
  }
  co_return opening;
}

/// The first path's error, and what became of the others.
Error no_path(const LunOptions& options, const PathWatch& paths, const Error& first) {
  if (!paths.set().several()) return first;
  return Error(first.kind(),
               fmt::format("no path to {} works: {}", place_of(options), paths.reasons()))
      .because(first.cause())
      .advise(first.remedy());
}

/// Goes through the paths until one works; the deadline is shared out among those that are left.
Task<Opening> open_first(RequestContext& context, const Opener& opener, LoginRequest request,
                         PathWatch& paths) {
  std::optional<Error> failure;
  std::size_t left = paths.set().size();
  for (;;) {
    const PathSet::Turn turn = paths.set().next();
    if (turn.new_round) throw no_path(opener.options, paths, *failure);
    RequestContext attempt = context;
    const auto now = RequestContext::Clock::now();
    attempt.deadline = now + (context.deadline - now) / static_cast<int>(left);
    if (left > 1) --left;
    request.portal = paths.set().at(turn.path).portal;
    try {
      std::optional<Opening> opening =
          co_await open_over(attempt, opener, request, turn, paths.set());
      if (!opening) continue;
      paths.use(turn.path);
      co_return *std::move(opening);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      // What LUN stands there, and what it is, only a login tells.
      paths.fail(turn.path, error.message(), error.kind() == ErrorKind::kUnsupported);
      if (!failure) failure = error;
    }
  }
}

bool is_named(const std::string& name, const Iqn& target) {
  try {
    return Iqn::parse(name) == target;
  } catch (const Error&) {
    return false;
  }
}

/// The portals that the target tells at the first of `known` that lets us ask, behind those.
Task<std::vector<PortalAddress>> with_discovered(RequestContext& context, const Opener& opener,
                                                 LoginRequest request,
                                                 std::vector<PortalAddress> known) {
  request.connection.chap = opener.options.discovery_chap;
  std::optional<Error> failure;
  auto left = static_cast<int>(known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    request.portal = known[i];
    RequestContext attempt = context;
    const auto now = RequestContext::Clock::now();
    attempt.deadline = now + (context.deadline - now) / (1 + left--);  // the login has its share
    std::vector<DiscoveredTarget> targets;
    try {
      targets = co_await discover_targets(attempt, opener.reactor, opener.pool, request);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      if (!failure) failure = error;
      continue;
    }
    for (const DiscoveredTarget& target : targets) {
      if (!is_named(target.name, opener.options.url.target)) continue;
      for (PortalAddress& told : portals_of(target, request.portal, PathSet::kMost)) {
        known.push_back(std::move(told));
      }
      break;
    }
    co_return known;
  }
  Error error = *std::move(failure);
  error.add_context("portal=discover: the portals were not told");
  throw error;
}

}  // namespace

Task<std::unique_ptr<LunDevice>> open_lun(RequestContext& context, Reactor& reactor,
                                          ThreadPool& pool, LunOptions options) {
  RequestContext opening = context;
  opening.deadline =
      std::min(context.deadline, RequestContext::Clock::now() + options.login_timeout);
  const Opener opener{reactor, pool, options};
  LoginRequest request = login_request(options);
  std::vector<PortalAddress> portals = {options.url.portal};
  portals.insert(portals.end(), options.portals.begin(), options.portals.end());
  if (options.discover_portals) {
    portals = co_await with_discovered(opening, opener, request, std::move(portals));
  }
  PathWatch paths(reactor, pool, PathSet(portals, options.first_path));
  std::chrono::seconds attempt_limit = options.login_timeout;
  if (paths.set().several()) {
    attempt_limit = std::min(attempt_limit, options.path_timeout);
    request.connection.silence_limit = options.path_timeout;
    // At least three pings within it, unless it is very short.
    request.connection.keep_alive = std::max(options.path_timeout / 4, std::chrono::seconds(1));
  }
  Opening first = co_await open_first(opening, opener, request, paths);
  request.portal = options.url.portal;
  auto sessions = std::make_shared<SessionKeeper>(
      reactor, pool,
      SessionKeeper::Options{.login = request,
                             .lun = options.url.lun,
                             .command_timeout = options.command_timeout,
                             .outage_limit = options.outage_limit,
                             .attempt_limit = attempt_limit,
                             .retries = options.retries,
                             .shared = options.shared},
      first.features.identity, std::move(paths));
  sessions->start(std::move(first.session));
  auto device = std::make_unique<OpenedLun>(
      std::move(sessions), options.url.lun, std::move(first.features),
      OpenedLun::Manners{
          .access = options.access,
          .retries = options.retries,
          .shared = options.shared,
          .journal_bytes = options.access == Access::kReadWrite ? options.journal_bytes : 0,
          .patience = options.outage_limit});
  const LunIdentity& identity = device->identity();
  log::info("{}: {} {} serial={} id={} {} bytes in blocks of {}{}", place_of(options),
            identity.vendor, identity.product, identity.serial, identity.designator,
            identity.size_bytes, identity.block_size_bytes,
            device->features().write_protected ? ", write protected" : "");
  co_return device;
}

}  // namespace lunfs::iscsi
