#pragma once

#include <string>

#include "tools/table.h"

/// The disks of a document (docs/control.md) as lunfs-vdi shows them. Pure.
namespace lunfs::tools {

/// An object for each disk, with, as far as known: uuid, label, description, kind, size_bytes,
/// used_bytes (stored, by the disk or what it stands on), lv_bytes (taken in the VG), parent,
/// chain, snapshot_of, in_use, lv, file, state and reason. States: "ok"; "read-only"; "broken", a
/// disk that cannot be read; "hidden", a disk that is there and not shown; with `all` also base
/// copies and LVs that are no disks, which are "hidden".
[[nodiscard]] Json vdi_records(const Json& document, bool all);

/// Those whose uuid, label, LV or file is `name`; an uuid in any case.
[[nodiscard]] Json vdis_named(const Json& records, const std::string& name);

}  // namespace lunfs::tools
