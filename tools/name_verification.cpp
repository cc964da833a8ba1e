#include "tools/name_verification.h"

#include <algorithm>
#include <utility>

#include "base/run.h"
#include "base/spawn.h"

namespace lunfs::tools {

namespace {

using iscsi::NameTrial;
using iscsi::PortalAddress;

/// Sessions that are open at the same time.
constexpr std::size_t kMostAtOnce = 16;
constexpr std::size_t kMostTrials = 256;

/// The portal that was asked, if the target is there; else the first that the target names.
PortalAddress place_of(const iscsi::DiscoveredTarget& target, const PortalAddress& asked) {
  std::optional<PortalAddress> first;
  for (const std::string& text : target.portals) {
    try {
      const auto portal = PortalAddress::parse(text.substr(0, text.rfind(',')));
      if (portal == asked) return asked;
      if (!first) first = portal;
    } catch (const Error&) {  // a target may name whatever it likes
    }
  }
  return first ? *first : asked;
}

}  // namespace

PortalResult NameVerification::run(const PortalAddress& portal) {
  PortalResult result{.portal = portal, .targets = {}, .left_aside = {}, .failure = {}};
  try {
    run_until_done(reactor_, discover(result));
  } catch (const Error& error) {
    result.failure = error;
    return result;
  }
  if (!options_.discovery_only) run_until_done(reactor_, try_targets(result.targets));
  return result;
}

Task<void> NameVerification::discover(PortalResult& result) {
  RequestContext context = RequestContext::within(options_.limits.login_timeout);
  const std::vector<iscsi::DiscoveredTarget> found = co_await iscsi::discover_targets(
      context, reactor_, pool_, identity_.discovery_request(result.portal));
  for (const iscsi::DiscoveredTarget& target : found) {
    if (options_.target && target.name != options_.target->text()) {
      result.left_aside.push_back(target.name);
    } else {
      result.targets.push_back({target.name, place_of(target, result.portal), std::nullopt});
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
  NameTrial trial;
  try {
    iscsi::LoginRequest request =
        identity_.login_request(target.portal, iscsi::Iqn::parse(target.name));
    request.connection.isid = options_.isid;
    RequestContext unlimited;
    trial =
        co_await iscsi::try_name(unlimited, reactor_, pool_, std::move(request), options_.limits);
  } catch (const Error& error) {  // the target's name is none
    trial.verdict = NameTrial::Verdict::kRefused;
    trial.refusal = error;
  }
  target.trial = std::move(trial);
}

}  // namespace lunfs::tools
