#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "volume/lvm/volume_group.h"

/// The storage manager's journals: an LV each, there while a change of several steps is under way.
/// Pure; no I/O. Source: docs/formats/sr-layout.md.
namespace lunfs::sr {

/// Bytes of a journal's payload: its LV's first sector.
inline constexpr std::uint64_t kJournalPayloadBytes = 512;

/// The value in a payload: "<decimal length> <value>" and spaces. Empty if it has another form.
[[nodiscard]] std::string_view parse_journal_payload(ConstByteSpan sector) noexcept;

/// Every uuid of a journal's value, which lists them with '_' between ("<base>_<clone>").
[[nodiscard]] std::vector<Uuid> uuids_of_journal_value(std::string_view value);

/// A journal that names a VDI.
struct JournalMention {
  std::string lv_name;
  std::string type;  ///< "clone", "leaf", "coalesce", ...; any text in journals of later types

  bool operator==(const JournalMention&) const = default;
};

/// VDIs that are being changed, each with the journals that say so: at least one.
using VdisInTransition = std::map<Uuid, std::vector<JournalMention>>;

/// From the LVs' names and from the payloads that were read (by LV name): the VDI that a journal is
/// named after, and those that its value names. A snapshot's journal names the base copy, which may
/// stand there unhidden and without a record until the snapshot is complete.
[[nodiscard]] VdisInTransition vdis_in_transition(const lvm::VolumeGroup& vg,
                                                  const std::map<std::string, std::string>& values);

/// True if the LV is a journal whose value stands in its first sector and not in its name.
[[nodiscard]] bool has_payload(const lvm::LogicalVolume& lv) noexcept;

}  // namespace lunfs::sr
