#include "tools/name_verification.h"

#include <algorithm>
#include <utility>

#include "base/run.h"
#include "base/spawn.h"
#include "base/text.h"

namespace lunfs::tools {

namespace {

using iscsi::NameTrial;
using iscsi::PortalAddress;

/// Sessions that are open at the same time.
constexpr std::size_t kMostAtOnce = 16;
constexpr std::size_t kMostTrials = 256;

/// Another portal of the target may let us in.
bool may_be_elsewhere(const NameTrial& trial) {
  return trial.verdict == NameTrial::Verdict::kRefused && trial.refusal->kind() != ErrorKind::kAuth;
}

}  // namespace

PortalResult NameVerification::run(const PortalAddress& portal) {
  PortalResult result{.portal = portal, .targets = {}, .left_aside = {}, .failure = {}};
  try {
    run_until_done((*work_).reactor, noting_end(*work_, discover(result)));
  } catch (const Error& error) {
    result.failure = error;
    return result;
  }
  if (!options_.discovery_only) {
    run_until_done((*work_).reactor, noting_end(*work_, try_targets(result.targets)));
  }
  return result;
}

Task<void> NameVerification::discover(PortalResult& result) {
  RequestContext context = RequestContext::within(options_.limits.login_timeout);
  const std::vector<iscsi::DiscoveredTarget> found = co_await iscsi::discover_targets(
      context, (*work_).reactor, (*work_).pool, identity_.discovery_request(result.portal));
  for (const iscsi::DiscoveredTarget& target : found) {
    if (options_.target && lower_case(target.name) != options_.target->text()) {
      result.left_aside.push_back(target.name);
    } else {
      result.targets.push_back(
          {target.name, iscsi::portals_of(target, result.portal), std::nullopt});
    }
  }
}

Task<void> NameVerification::try_targets(std::vector<TargetResult>& targets) {
  const std::size_t count = std::min(targets.size(), kMostTrials);
  for (std::size_t i = 0; i < count; i += kMostAtOnce) {
    std::vector<Task<void>> tasks;
    for (std::size_t j = i; j < std::min(count, i + kMostAtOnce); ++j) {
      tasks.push_back(try_target(targets[j]));
    }
    co_await when_all(std::move(tasks));
  }
}

Task<void> NameVerification::try_target(TargetResult& target) {
  std::optional<NameTrial> first;
  try {
    const iscsi::Iqn name = iscsi::Iqn::parse(target.name);
    for (const iscsi::PortalAddress& portal : target.portals) {
      target.trial = co_await try_at(portal, name);
      if (!may_be_elsewhere(*target.trial)) {
        target.portals = {portal};
        co_return;
      }
      if (!first) first = target.trial;
    }
  } catch (const Error& error) {  // the target's name is none
    first.emplace();
    first->verdict = NameTrial::Verdict::kRefused;
    first->refusal = error;
  }
  target.trial = std::move(first);
}

Task<NameTrial> NameVerification::try_at(const PortalAddress& portal, const iscsi::Iqn& name) {
  iscsi::LoginRequest request = identity_.login_request(portal, name);
  request.connection.isid = options_.isid;
  RequestContext unlimited;
  co_return co_await iscsi::try_name(unlimited, (*work_).reactor, (*work_).pool, std::move(request),
                                     options_.limits);
}

}  // namespace lunfs::tools
