#include "volume/sr/resolve_disk.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "volume/lvm/lv_device.h"
#include "volume/sr/journal.h"
#include "volume/sr/journal_values.h"
#include "volume/sr/lv_name.h"

namespace lunfs::sr {

namespace {

/// The LV that is the VDI by its name; null if there is none.
const lvm::LogicalVolume* lv_of(const lvm::VolumeGroup& vg, const Uuid& vdi) {
  const lvm::LogicalVolume* found = nullptr;
  for (const lvm::LogicalVolume& lv : vg.volumes) {
    const LvName name = classify_lv(lv.name, lv.tags);
    const bool disk = name.kind == LvKind::kRawVdi || name.kind == LvKind::kVhdVdi;
    if (!disk || name.vdi != vdi) continue;
    if (found != nullptr) {
      throw Error(ErrorKind::kCorrupt, fmt::format("both {} and {} claim to be VDI {}", found->name,
                                                   lv.name, vdi.text()));
    }
    found = &lv;
  }
  return found;
}

/// The VDI's journal while its LV is not there: between two renames of the storage manager.
[[noreturn]] void throw_missing(const Uuid& vdi, const VdisInTransition& in_transition) {
  const auto journals = in_transition.find(vdi);
  if (journals != in_transition.end()) {
    throw Error(ErrorKind::kBusy,
                fmt::format("being changed: journal {}", journals->second.front().lv_name));
  }
  throw Error(ErrorKind::kNotFound, fmt::format("VDI {} is no longer in the SR", vdi.text()));
}

}  // namespace

Task<std::unique_ptr<BlockDevice>> resolve_vdi(RequestContext& context, Medium medium,
                                               std::shared_ptr<const lvm::VolumeGroup> vg,
                                               Uuid vdi) {
  std::vector<std::string> warnings;
  const std::map<std::string, std::string> values =
      co_await read_journal_values(context, medium.lun, vg, warnings);
  // Without its value nobody knows which other VDIs a journal concerns.
  if (!warnings.empty()) throw Error(ErrorKind::kIo, warnings.front());
  const VdisInTransition in_transition = vdis_in_transition(*vg, values);
  const lvm::LogicalVolume* leaf = lv_of(*vg, vdi);
  if (leaf == nullptr) throw_missing(vdi, in_transition);
  auto heads = std::make_shared<VhdHeads>();
  for (;;) {
    ChainPlan plan = plan_chain(*vg, *heads, in_transition, leaf->name);
    if (!plan.needs_head.empty()) {
      const lvm::LogicalVolume& lv = *vg->find(plan.needs_head);
      VhdHead head = co_await read_vhd_head(context, medium.lun, vg, lv);
      heads->insert_or_assign(plan.needs_head, std::move(head));
      continue;
    }
    if (!plan.readable()) {
      throw Error(plan.fault_kind, plan.fault);
    }
    co_return open_disk(medium, vg, {.plan = std::move(plan), .heads = std::move(heads)}, true);
  }
}

std::unique_ptr<BlockDevice> resolve_lv(const Medium& medium,
                                        const std::shared_ptr<const lvm::VolumeGroup>& vg,
                                        const std::string& lv_name) {
  const lvm::LogicalVolume* lv = vg->find(lv_name);
  if (lv == nullptr) throw Error(ErrorKind::kNotFound, fmt::format("LV {} is gone", lv_name));
  if (lv->map == nullptr) throw Error(ErrorKind::kNotFound, lv->unmapped_reason);
  return std::make_unique<lvm::LvDevice>(medium.lun, vg, *lv, true);
}

}  // namespace lunfs::sr
