#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "volume/lvm/volume_group.h"
#include "volume/sr/journal.h"
#include "volume/sr/vhd_heads.h"

/// Which LVs make a disk. Pure; no I/O. Source: docs/formats/sr-layout.md, chains.
namespace lunfs::sr {

/// The storage manager makes no longer chains; a raw base counts as one more image.
inline constexpr std::size_t kMaxChainImages = 30;

/// The LVs that a disk is read from.
struct ChainPlan {
  std::vector<std::string> images;  ///< LV names of its VHDs, leaf first; empty for a raw VDI
  std::string raw_base;             ///< LV name of the raw volume at the bottom; empty if none
  std::string fault;                ///< why the disk cannot be read; empty = it can
  /// kBusy: the storage manager is at work, or was, and nothing is broken; kIo: the storage could
  /// not read an image's head.
  ErrorKind fault_kind = ErrorKind::kCorrupt;
  /// A VHD whose head is not among those given: read it, and plan again. The other fields mean
  /// nothing then.
  std::string needs_head;

  [[nodiscard]] bool changing() const noexcept { return fault_kind == ErrorKind::kBusy; }
  [[nodiscard]] bool readable() const noexcept { return fault.empty() && needs_head.empty(); }
  /// All LVs, leaf first.
  [[nodiscard]] std::vector<std::string> members() const;
  /// The LV that the leaf stands on; empty if on none.
  [[nodiscard]] std::string parent() const;
};

/// Plans the chains of one VG. What it is given outlives it and does not change; one for many disks
/// is cheaper than one for each.
class ChainPlanner {
 public:
  ChainPlanner(const lvm::VolumeGroup& vg, const VhdHeads& heads,
               const VdisInTransition& in_transition);

  /// @param leaf  name of an LV: a raw VDI's or a VHD's, hidden or not
  [[nodiscard]] ChainPlan plan(std::string_view leaf) const;

  /// The LV that the image's names lead to, whatever it is; empty if it has no parent or none of
  /// its names names an LV of the VG.
  [[nodiscard]] std::string_view parent_of(const VhdHead& head) const;

 private:
  class Walk;

  [[nodiscard]] const lvm::LogicalVolume* find(std::string_view name) const;

  const VhdHeads& heads_;
  const VdisInTransition& in_transition_;
  std::unordered_map<std::string_view, const lvm::LogicalVolume*> by_name_;
};

/// One plan.
[[nodiscard]] ChainPlan plan_chain(const lvm::VolumeGroup& vg, const VhdHeads& heads,
                                   const VdisInTransition& in_transition, std::string_view leaf);

}  // namespace lunfs::sr
