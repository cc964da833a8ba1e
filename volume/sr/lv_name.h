#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/uuid.h"

/// What the names of VGs and LVs mean to XenServer's storage manager. Pure; no I/O.
/// Source: docs/formats/sr-layout.md.
namespace lunfs::sr {

/// Every VG of an SR is called this followed by the SR's uuid.
inline constexpr std::string_view kVgPrefix = "VG_XenStorage-";

/// True for a VG that XenServer may claim, with a valid uuid in its name or without.
[[nodiscard]] bool is_xenserver_vg(std::string_view vg_name) noexcept;

/// The uuid of the SR that lives in the VG of that name; nullopt if it is not an SR's name.
[[nodiscard]] std::optional<Uuid> sr_uuid_of_vg(std::string_view vg_name) noexcept;

/// The part that an LV plays in an SR.
enum class LvKind {
  kRawVdi,           ///< LV-<uuid>: the disk's bytes as they are
  kVhdVdi,           ///< VHD-<uuid>
  kQcow2Vdi,         ///< QCOW2-<uuid>
  kTemporary,        ///< <any of the three>OLD_<uuid>: a leaf on its way out
  kMetadata,         ///< MGT
  kJournal,          ///< work of the storage manager that has begun and not ended
  kChangedBlockLog,  ///< <uuid>.cbtlog
  kForeign,          ///< not the storage manager's, as far as the name tells
};

/// A name taken apart. The views share the storage of the name that was passed in.
struct LvName {
  LvKind kind = LvKind::kForeign;
  std::optional<Uuid> vdi;         ///< whose it is; a journal's may be unknown
  std::string_view journal_type;   ///< "clone", "leaf", "jvhd", ...; journals only
  std::string_view journal_value;  ///< "1" where the value stands in the LV's first sector
};

/// Sorts by name and tags. A name is a VDI's only if a valid uuid follows the prefix; a journal's
/// either by its form or by the tag `journaler` or `jvhd`, so that a journal of a type not known
/// here still counts as one.
[[nodiscard]] LvName classify_lv(std::string_view name, std::span<const std::string> tags) noexcept;

/// True if the LV carries the tag that marks the raw base of a chain.
[[nodiscard]] bool has_hidden_tag(std::span<const std::string> tags) noexcept;

}  // namespace lunfs::sr
