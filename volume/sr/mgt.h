#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

/// The MGT volume: what an SR keeps about itself and its VDIs. Pure parsing; no I/O.
/// Source: docs/formats/mgt.md.
namespace lunfs::sr {

/// Bytes of the header sector.
inline constexpr std::uint64_t kMgtSectorBytes = 512;
/// Bytes of one VDI's slot.
inline constexpr std::uint64_t kMgtSlotBytes = 1024;
/// Where slot 0 begins, in bytes.
inline constexpr std::uint64_t kMgtFirstSlot = 2048;
/// The longest MGT that is read, bytes. The storage manager's own is 4 MiB.
inline constexpr std::uint64_t kMgtMaxBytes = 16U << 20U;

/// One live slot. Texts are UTF-8 as far as the writer kept to it, not checked; control characters
/// are kept as they are.
struct VdiRecord {
  Uuid uuid;
  std::string label;
  std::string description;
  std::string type;      ///< "user", "system", "ha_statefile", "redo_log", ...
  std::string vdi_type;  ///< "vhd", "aio" (raw), "qcow2"; the LV's name counts, not this
  bool is_a_snapshot = false;
  std::optional<Uuid> snapshot_of;
  std::string snapshot_time;
  bool read_only = false;
  bool managed = true;  ///< false: the base of a chain, not for users
  std::string metadata_of_pool;
  std::uint64_t offset = 0;  ///< bytes; where the slot was found
};

/// All that MGT says.
struct Mgt {
  std::optional<Uuid> sr_uuid;
  std::string label;
  std::string description;
  std::string allocation;       ///< "thick", "thin", or empty
  std::vector<VdiRecord> vdis;  ///< live ones in slot order; uuids differ
  /// What was odd and what it cost, a sentence each; a bounded number of them.
  std::vector<std::string> warnings;

  /// Null if there is none.
  [[nodiscard]] const VdiRecord* find(const Uuid& uuid) const noexcept;
};

/// The used length in bytes, header included, that the header sector states; 0 for a sector of
/// zeros, which means that nothing was written yet. Not compared with the size of the LV.
///
/// @param sector  the LV's first kMgtSectorBytes
/// Errors: kUnsupported for the binary form of before XenServer 6.0 and for another major version;
/// kCorrupt if it is no header, naming what was found.
[[nodiscard]] std::uint64_t parse_mgt_header(ConstByteSpan sector);

/// Reads header, SR sectors and slots. Bytes beyond the used length are never looked at. A sector
/// or slot that cannot be understood costs itself and a warning.
///
/// @param bytes  the LV from its start; at least the used length, else what is there is read and
///               a warning says what is missing
/// Errors: those of parse_mgt_header().
[[nodiscard]] Mgt parse_mgt(ConstByteSpan bytes);

}  // namespace lunfs::sr
