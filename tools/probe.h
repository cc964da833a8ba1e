#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "iscsi/login_identity.h"
#include "iscsi/lun_url.h"
#include "tools/table.h"

namespace lunfs::tools {

/// What to look at behind a portal, and how long.
struct ProbeOptions {
  iscsi::PortalAddress portal;
  iscsi::IdentityOptions identity;
  std::optional<std::string> target;   ///< only the target of this name
  std::optional<std::uint16_t> lun;    ///< only LUNs of this number
  std::optional<std::string> scsi_id;  ///< only the LUN with this SCSIid
  /// For the discovery; then for each target, its LUNs included.
  std::chrono::seconds timeout{15};
  bool discover_only = false;  ///< name the targets and leave them alone
};

struct ProbeResult {
  /// {"portal", "initiator", "targets": [{"iqn", "portals", "state": "ok" | "refused" |
  /// "unreachable" | "incomplete", "portal", "chap", "error": error_json(), "luns": [{"lun", "url",
  /// what iscsi::lun_json() tells, "content": "sr" | "vg" | "pv" | "unknown" | "empty" | "damaged"
  /// | "unreadable" | "no_disk", "looks_like", "sr", "vg", "warnings", "error"}]}]}; fields that
  /// mean nothing are left out. Page: docs/man/lunfs-sr.8.md.
  Json document;
  std::optional<Error> refusal;  ///< why a target let us not in, the last one's; none = all did
  std::string notice;            ///< what the user should be told of the initiator's name
};

/// Looks at everything that a portal shows: discovers its targets, logs in to each, asks for its
/// LUNs and what is on each of them. At most 8 targets and 4 LUNs of a target are worked on at a
/// time. Reads only; every session is ended before the call returns.
///
/// Errors: those of the discovery alone, iscsi::log_in()'s. What goes wrong later stands in the
/// result.
[[nodiscard]] ProbeResult probe_portal(const ProbeOptions& options);

}  // namespace lunfs::tools
