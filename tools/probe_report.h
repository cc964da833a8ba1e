#pragma once

#include <string>

#include "tools/reach.h"
#include "tools/table.h"

/// A probe's result (probe.h) as it is printed. Pure.
namespace lunfs::tools {

/// Gives every LUN that can be mounted a "mount": {"command", "fstab"}, ready to be copied:
/// read-only, on /mnt/<uuid of the SR> or /mnt/<name of the VG>, with the options that the probe
/// was given.
void add_mount_lines(Json& document, const ReachOptions& options);

/// A table of targets, LUNs and what is on them; then what went wrong, with the name to allow; then
/// the lines of add_mount_lines().
[[nodiscard]] std::string probe_text(const Json& document);

/// The documents of `xe sr-probe`, laid out as its are: targets; LUNs of all targets of the
/// document; SRs on its LUNs. Source: docs/formats/sr-probe.md.
[[nodiscard]] std::string targets_xml(const Json& document);
[[nodiscard]] std::string luns_xml(const Json& document);
[[nodiscard]] std::string srs_xml(const Json& document);

}  // namespace lunfs::tools
