#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/task.h"
#include "iscsi/discovery.h"
#include "iscsi/login_identity.h"
#include "iscsi/name_trial.h"
#include "tools/work.h"

namespace lunfs::tools {

/// What came of one target at one portal.
struct TargetResult {
  std::string name;  ///< as the target sent it, printable
  /// Where it may be, best first (portals_of()); after the trial the one that answered stands
  /// first.
  std::vector<iscsi::PortalAddress> portals;
  std::optional<iscsi::NameTrial> trial;  ///< none: not tried
};

/// What came of one portal.
struct PortalResult {
  iscsi::PortalAddress portal;
  std::vector<TargetResult> targets;
  std::vector<std::string> left_aside;  ///< targets that were not asked for
  std::optional<Error> failure;         ///< of the discovery
};

struct VerificationOptions {
  std::optional<iscsi::Iqn> target;  ///< only this one
  std::optional<iscsi::Isid> isid;   ///< of the sessions; none: a random one for each target
  bool discovery_only = false;
  iscsi::TrialLimits limits;
};

/// Looks at portals with the eyes of one initiator: what does discovery show it, and does a session
/// with each target stay?
class NameVerification {
 public:
  NameVerification(VerificationOptions options, iscsi::LoginIdentity identity)
      : options_(std::move(options)), identity_(std::move(identity)) {}

  /// Takes up to limits.login_timeout, and for each 16 targets the time of a trial (try_name()), or
  /// of one for each portal where they cannot be reached. At most 256 targets are tried. Faults of
  /// the network and of targets are in the result; other errors are those of LoginIdentity. A name
  /// that is still being resolved when its time is over holds nobody up.
  [[nodiscard]] PortalResult run(const iscsi::PortalAddress& portal);

 private:
  Task<void> discover(PortalResult& result);
  Task<void> try_targets(std::vector<TargetResult>& targets);
  Task<void> try_target(TargetResult& target);
  Task<iscsi::NameTrial> try_at(const iscsi::PortalAddress& portal, const iscsi::Iqn& name);

  VerificationOptions options_;
  iscsi::LoginIdentity identity_;
  WorkOwner<Work> work_{std::make_unique<Work>()};  ///< its threads resolve names
};

}  // namespace lunfs::tools
