#include "iscsi/open_lun.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "iscsi/command_runner.h"
#include "iscsi/discovery.h"
#include "iscsi/login.h"
#include "iscsi/lun_probe.h"
#include "iscsi/opened_lun.h"
#include "iscsi/session.h"
#include "iscsi/session_keeper.h"

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

}  // namespace

Task<std::unique_ptr<LunDevice>> open_lun(RequestContext& context, Reactor& reactor,
                                          ThreadPool& pool, LunOptions options) {
  RequestContext opening = context;
  opening.deadline =
      std::min(context.deadline, RequestContext::Clock::now() + options.login_timeout);
  const LoginRequest request = login_request(options);
  std::unique_ptr<Connection> connection =
      co_await log_in_naming_targets(opening, reactor, pool, options, request);
  const std::string place =
      fmt::format("LUN {} of {}", options.url.lun, options.url.target.spelling());
  std::unique_ptr<LunDevice> device;
  {
    const EndAtDeadline guard(
        *connection, opening,
        fmt::format("{} did not answer within the login timeout", options.url.portal.text()));
    auto session =
        std::make_shared<Session>(std::move(connection), options.url.lun, options.command_timeout);
    CommandRunner runner(*session, options.retries);
    LunFeatures features;
    try {
      features = co_await probe_naming_luns(opening, runner, options);
    } catch (Error& error) {
      error.add_context(place);
      throw;
    }
    auto sessions = std::make_shared<SessionKeeper>(
        reactor, pool,
        SessionKeeper::Options{.login = request,
                               .lun = options.url.lun,
                               .command_timeout = options.command_timeout,
                               .outage_limit = options.outage_limit,
                               .attempt_limit = options.login_timeout,
                               .retries = options.retries,
                               .shared = options.shared},
        features.identity);
    sessions->start(std::move(session));
    device = std::make_unique<OpenedLun>(
        std::move(sessions), options.url.lun, std::move(features),
        OpenedLun::Manners{
            .access = options.access,
            .retries = options.retries,
            .shared = options.shared,
            .journal_bytes = options.access == Access::kReadWrite ? options.journal_bytes : 0,
            .patience = options.outage_limit});
  }
  const LunIdentity& identity = device->identity();
  log::info("{}: {} {} serial={} id={} {} bytes in blocks of {}{}", place, identity.vendor,
            identity.product, identity.serial, identity.designator, identity.size_bytes,
            identity.block_size_bytes,
            device->features().write_protected ? ", write protected" : "");
  co_return device;
}

}  // namespace lunfs::iscsi
