#include "tools/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/spawn.h"
#include "base/text.h"
#include "iscsi/discovery.h"
#include "iscsi/login.h"
#include "iscsi/lun_json.h"
#include "iscsi/target_session.h"
#include "tools/probe_content.h"
#include "tools/work.h"

namespace lunfs::tools {

namespace {

constexpr std::size_t kTargetsAtOnce = 8;
constexpr std::size_t kLunsAtOnce = 4;
/// Portals of a target that are tried; an array names one for each of its ports.
constexpr std::chrono::seconds kLogoutLimit{5};

/// Does `work(i)` for every i below `count`, at most `bound` at a time. `work` must not throw.
Task<void> for_each_of(std::size_t count, std::size_t bound,
                       const std::function<Task<void>(std::size_t)>& work) {
  std::size_t next = 0;
  const auto worker = [&next, &work, count]() -> Task<void> {
    while (next < count) {
      const std::size_t i = next++;
      Task<void> one = work(i);
      co_await one;
    }
  };
  std::vector<Task<void>> workers;
  for (std::size_t i = 0; i < std::min(count, bound); ++i) workers.push_back(worker());
  co_await when_all(std::move(workers));
}

struct Probe : Work {
  explicit Probe(const ProbeOptions& wanted)
      : options(wanted), identity(iscsi::LoginIdentity::find(wanted.identity)) {}

  ProbeOptions options;
  iscsi::LoginIdentity identity;
  std::vector<iscsi::DiscoveredTarget> targets;
  std::vector<Json> records;     ///< of the targets, in their order
  std::optional<Error> refusal;  ///< of the last target that let us not in
};

/// A session, and the portal by the name that leads to it.
struct LoggedIn {
  std::unique_ptr<iscsi::Connection> connection;
  iscsi::PortalAddress portal;
};

/// Errors: the first portal's, unless another one knows better why it lets nobody in.
Task<LoggedIn> log_in_to(RequestContext& context, Probe& probe,
                         const iscsi::DiscoveredTarget& target, const iscsi::Iqn& name) {
  std::optional<Error> failure;
  const std::vector<iscsi::PortalAddress> portals = iscsi::portals_of(target, probe.options.portal);
  std::size_t left = portals.size();
  for (const iscsi::PortalAddress& portal : portals) {
    const iscsi::LoginRequest request = probe.identity.login_request(portal, name);
    // One that swallows packets must not use up the time of the others.
    const auto now = RequestContext::Clock::now();
    RequestContext attempt = context;
    attempt.deadline = now + (context.deadline - now) / left--;
    try {
      LoggedIn result;
      result.connection = co_await iscsi::log_in(attempt, probe.reactor, probe.pool, request);
      result.portal = portal;
      co_return result;
    } catch (const Error& error) {
      if (!failure || error.kind() == ErrorKind::kAuth) failure = error;
      if (error.kind() == ErrorKind::kAuth || error.kind() == ErrorKind::kCancelled) break;
    }
  }
  throw *std::move(failure);
}

/// One target while it is looked at.
struct Visit {
  Probe& probe;
  RequestContext context;
  iscsi::TargetSession& session;
  iscsi::PortalAddress portal;
  iscsi::Iqn target;
  std::vector<std::uint16_t> numbers{};
  std::vector<Json> luns{};
};

Task<void> look_at_lun(Visit& visit, std::size_t i) {
  const std::uint16_t number = visit.numbers[i];
  Json& json = visit.luns[i];
  json = {{"lun", number},
          {"url", iscsi::LunUrl{std::nullopt, visit.portal, visit.target, number}.text()}};
  try {
    const std::unique_ptr<iscsi::LunDevice> lun =
        co_await visit.session.open(visit.context, number, Access::kReadOnly);
    json.update(iscsi::lun_json(lun->features()));
    if (visit.probe.options.scsi_id && json["scsi_id"] != *visit.probe.options.scsi_id) co_return;
    co_await add_content(visit.context, *lun, visit.probe.reactor, json);
  } catch (const Error& error) {
    json["content"] = error.kind() == ErrorKind::kNotFound ? "no_disk" : "unreadable";
    json["error"] = error_json(error);
  }
}

Task<void> look_at_luns(Visit& visit) {
  const ProbeOptions& options = visit.probe.options;
  visit.numbers = co_await visit.session.luns(visit.context);
  if (options.lun)
    std::erase_if(visit.numbers, [&](auto number) { return number != *options.lun; });
  visit.luns.resize(visit.numbers.size());
  const std::function<Task<void>(std::size_t)> work = [&visit](std::size_t i) {
    return look_at_lun(visit, i);
  };
  co_await for_each_of(visit.numbers.size(), kLunsAtOnce, work);
  if (options.scsi_id) {
    std::erase_if(visit.luns, [&](const Json& lun) {
      return !lun.contains("scsi_id") || lun["scsi_id"] != *options.scsi_id;
    });
  }
}

/// Of a target that lets us in: its LUNs.
Task<void> visit_target(RequestContext& context, Probe& probe, LoggedIn logged_in, iscsi::Iqn name,
                        Json& record) {
  iscsi::TargetSession session(std::move(logged_in.connection), probe.options.timeout, {});
  record["state"] = "ok";
  record["portal"] = session.connection().address().text();
  record["chap"] = session.connection().options().chap.method();
  Visit visit{probe, context, session, std::move(logged_in.portal), std::move(name)};
  {
    const iscsi::EndAtDeadline guard(
        session.connection(), visit.context,
        fmt::format("{} did not answer within {} s", record["portal"].get<std::string>(),
                    probe.options.timeout.count()));
    try {
      co_await look_at_luns(visit);
    } catch (const Error& error) {
      record["error"] = error_json(error);
    }
  }
  record["luns"] = visit.luns;
  if (session.connection().ended()) record["error"] = error_json(session.connection().failure());
  if (record.contains("error")) record["state"] = "incomplete";
  if (session.connection().ended()) co_return;
  RequestContext limit = RequestContext::within(kLogoutLimit);
  co_await session.logout(limit);
}

Task<void> probe_target(Probe& probe, std::size_t i) {
  const iscsi::DiscoveredTarget& target = probe.targets[i];
  Json& record = probe.records[i];
  RequestContext context = RequestContext::within(probe.options.timeout);
  try {
    const iscsi::Iqn name = iscsi::Iqn::parse(target.name);
    LoggedIn logged_in = co_await log_in_to(context, probe, target, name);
    co_await visit_target(context, probe, std::move(logged_in), name, record);
  } catch (const Error& error) {
    const bool silent =
        error.kind() == ErrorKind::kUnreachable || error.kind() == ErrorKind::kTimedOut;
    record["state"] = silent ? "unreachable" : "refused";
    record["error"] = error_json(error);
    probe.refusal = error;
  }
}

Task<void> discover(RequestContext& context, Probe& probe) {
  const iscsi::LoginRequest request = probe.identity.discovery_request(probe.options.portal);
  std::vector<iscsi::DiscoveredTarget> targets =
      co_await iscsi::discover_targets(context, probe.reactor, probe.pool, request);
  if (probe.options.target) {
    std::erase_if(targets, [&](const iscsi::DiscoveredTarget& target) {
      return lower_case(target.name) != *probe.options.target;
    });
  }
  probe.targets = std::move(targets);
  for (iscsi::DiscoveredTarget& target : probe.targets) {
    // A target without an address is at the portal that named it.
    if (target.portals.empty()) target.portals.push_back(probe.options.portal.text());
    probe.records.push_back({{"iqn", target.name}, {"portals", target.portals}});
  }
}

Task<void> probe_targets(Probe& probe) {
  const std::function<Task<void>(std::size_t)> work = [&probe](std::size_t i) {
    return probe_target(probe, i);
  };
  co_await for_each_of(probe.targets.size(), kTargetsAtOnce, work);
}

}  // namespace

ProbeResult probe_portal(const ProbeOptions& options) {
  const WorkOwner<Probe> owner(std::make_unique<Probe>(options));
  Probe& probe = *owner;
  try {
    run_within(probe, options.timeout,
               [&probe](RequestContext& context) { return discover(context, probe); });
  } catch (const Error& error) {
    throw probe.identity.with_notice(error);
  }
  if (!options.discover_only) {
    // Each target has its own deadline; this one is for all that wait for their turn.
    const auto rounds = static_cast<long>(probe.targets.size() / kTargetsAtOnce + 1);
    const std::chrono::seconds one_round = options.timeout + kLogoutLimit;
    run_within(probe, one_round * rounds,
               [&probe](RequestContext&) { return probe_targets(probe); });
  }
  return {.document = {{"portal", options.portal.text()},
                       {"initiator", probe.identity.initiator()},
                       {"targets", probe.records}},
          .refusal = probe.refusal,
          .notice = probe.identity.notice()};
}

}  // namespace lunfs::tools
