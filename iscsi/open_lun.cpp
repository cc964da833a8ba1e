#include "iscsi/open_lun.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "iscsi/discovery.h"
#include "iscsi/login.h"
#include "iscsi/target_session.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxNamesInError = 20;

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

Task<std::unique_ptr<Connection>> log_in_naming_targets(RequestContext& context, Reactor& reactor,
                                                        ThreadPool& pool,
                                                        const LunOptions& options) {
  LoginRequest request{
      options.url.portal,
      {options.initiator_name, options.url.target, options.chap, options.initiator_alias},
      options.credentials_source};
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

Task<std::unique_ptr<LunDevice>> open_naming_luns(RequestContext& context, TargetSession& session,
                                                  const LunOptions& options) {
  std::optional<Error> unusable;
  try {
    co_return co_await session.open(context, options.url.lun, options.access, options.writes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    unusable = error;
  }
  std::vector<std::uint16_t> luns;
  try {
    luns = co_await session.luns(context);
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

}  // namespace

Task<std::unique_ptr<LunDevice>> open_lun(RequestContext& context, Reactor& reactor,
                                          ThreadPool& pool, LunOptions options) {
  RequestContext opening = context;
  opening.deadline =
      std::min(context.deadline, RequestContext::Clock::now() + options.login_timeout);
  std::unique_ptr<Connection> connection =
      co_await log_in_naming_targets(opening, reactor, pool, options);
  const std::string place = fmt::format("LUN {} of {}", options.url.lun, options.url.target.text());
  TargetSession session(reactor, std::move(connection), options.command_timeout, options.retries);
  std::unique_ptr<LunDevice> device;
  {
    const EndAtDeadline guard(
        session.connection(), opening,
        fmt::format("{} did not answer within the login timeout", options.url.portal.text()));
    try {
      device = co_await open_naming_luns(opening, session, options);
    } catch (Error& error) {
      error.add_context(place);
      throw;
    }
  }
  const LunIdentity& identity = device->identity();
  log::info("{}: {} {} serial={} id={} {} bytes in blocks of {}{}", place, identity.vendor,
            identity.product, identity.serial, identity.designator, identity.size_bytes,
            identity.block_size_bytes,
            device->features().write_protected ? ", write protected" : "");
  co_return device;
}

}  // namespace lunfs::iscsi
