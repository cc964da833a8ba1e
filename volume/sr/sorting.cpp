#include "volume/sr/sorting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "volume/sr/by_name.h"
#include "volume/sr/journal.h"
#include "volume/sr/lv_name.h"

namespace lunfs::sr {

namespace {

constexpr std::string_view kControlDirectory = ".lunfs";
constexpr std::string_view kVhdReason = "VHD: not readable by this version";
constexpr std::string_view kQcow2Reason = "QCOW2: not readable by this version";
constexpr std::string_view kPoolMayUseIt =
    "a pool may be using this SR, and nothing on the LUN would tell: mount with -o detached once "
    "no host has the SR plugged";

// MGT types of disks that the pool keeps for itself and rewrites as it likes. A stray write into
// one can fence hosts or destroy the pool's database, so they can be copied but not changed.
constexpr std::array<std::string_view, 5> kPoolTypes = {"ha_statefile", "redo_log", "metadata",
                                                        "rrd", "cbt_metadata"};

void append(std::string& text, std::string_view more) {
  if (!text.empty() && !more.empty()) text += "; ";
  text += more;
}

std::string read_only_reason(const lvm::VolumeGroup& vg, bool detached) {
  std::string reason;
  if (is_xenserver_vg(vg.name) && !detached) append(reason, kPoolMayUseIt);
  for (const std::string& refusal : vg.write_refusals) append(reason, refusal);
  return reason;
}

/// Why an LV cannot be a file in either layout; empty if it can.
std::string unfit_reason(const lvm::LogicalVolume& lv) {
  if (!is_file_name(lv.name)) return "its name cannot be a file's";
  if (lv.map == nullptr) return lv.unmapped_reason.empty() ? "not mapped" : lv.unmapped_reason;
  return {};
}

/// Starts a catalog and lists what stands under .lunfs/lv.
Catalog begin(std::shared_ptr<const lvm::VolumeGroup> vg, Layout layout, bool detached) {
  Catalog catalog;
  catalog.layout = layout;
  catalog.read_only_reason = read_only_reason(*vg, detached);
  std::set<std::string_view> seen;
  for (const lvm::LogicalVolume& lv : vg->volumes) {
    if (unfit_reason(lv).empty() && seen.insert(lv.name).second) {
      catalog.lv_names.push_back(lv.name);
    }
  }
  catalog.vg = std::move(vg);
  return catalog;
}

std::string lv_read_only_reason(const lvm::LogicalVolume& lv) {
  return lv.writable ? std::string() : "the LV is marked read-only";
}

class SrSorter {
 public:
  SrSorter(std::shared_ptr<const lvm::VolumeGroup> vg, SrContents contents, bool detached)
      : catalog_(begin(std::move(vg), Layout::kXenServer, detached)),
        contents_(std::move(contents)),
        in_transition_(vdis_in_transition(*catalog_.vg, contents_.journal_values)) {}

  Catalog sort() {
    catalog_.sr_uuid = sr_uuid_of_vg(catalog_.vg->name);
    catalog_.warnings = std::move(contents_.warnings);
    take_names();
    count_claims();
    for (const lvm::LogicalVolume& lv : catalog_.vg->volumes) sort_one(lv);
    note_journals();
    note_records_without_lv();
    catalog_.links = make_name_links(catalog_.volumes);
    return std::move(catalog_);
  }

 private:
  void take_names() {
    if (!contents_.mgt) return;
    const Mgt& mgt = *contents_.mgt;
    catalog_.sr_label = mgt.label;
    catalog_.sr_description = mgt.description;
    if (mgt.sr_uuid && mgt.sr_uuid != catalog_.sr_uuid) {
      catalog_.warnings.push_back(fmt::format("MGT belongs to SR {}, but the VG is named {}",
                                              mgt.sr_uuid->text(), catalog_.vg->name));
    }
  }

  /// Two LVs can claim one VDI only after an accident; then nobody can say which one is right.
  void count_claims() {
    for (const lvm::LogicalVolume& lv : catalog_.vg->volumes) {
      const LvName name = classify_lv(lv.name, lv.tags);
      if (name.kind == LvKind::kChangedBlockLog && name.vdi) logged_.insert(*name.vdi);
      const bool vdi = name.kind == LvKind::kRawVdi || name.kind == LvKind::kVhdVdi ||
                       name.kind == LvKind::kQcow2Vdi;
      if (vdi) ++claims_[*name.vdi];
    }
  }

  void sort_one(const lvm::LogicalVolume& lv) {
    const LvName name = classify_lv(lv.name, lv.tags);
    const bool vhd = name.kind == LvKind::kVhdVdi;
    if (const std::string unfit = unfit_reason(lv); !unfit.empty()) {
      catalog_.not_shown.push_back({lv.name, unfit, true, vhd});
    } else if (const std::string reason = hidden_reason(lv, name); !reason.empty()) {
      catalog_.not_shown.push_back({lv.name, reason, false, vhd});
    } else if (!shown_.insert(*name.vdi).second) {
      catalog_.not_shown.push_back({lv.name, "another LV is the same VDI", true, false});
    } else {
      show(lv, *name.vdi);
    }
  }

  /// Why a sound LV is no file; empty for a raw VDI that is one.
  [[nodiscard]] std::string hidden_reason(const lvm::LogicalVolume& lv, const LvName& name) const {
    switch (name.kind) {
      case LvKind::kMetadata:
        return "the SR's own metadata";
      case LvKind::kTemporary:
        return "left by a coalesce of the storage manager";
      case LvKind::kChangedBlockLog:
        return "changed-block log of the storage manager";
      case LvKind::kForeign:
        return lv.visible ? "not a VDI" : "internal to LVM";
      case LvKind::kJournal:
        return "journal of the storage manager";
      case LvKind::kRawVdi:
      case LvKind::kVhdVdi:
      case LvKind::kQcow2Vdi:
        break;
    }
    return hidden_vdi_reason(lv, name);
  }

  [[nodiscard]] std::string hidden_vdi_reason(const lvm::LogicalVolume& lv,
                                              const LvName& name) const {
    if (const auto journal = in_transition_.find(*name.vdi); journal != in_transition_.end()) {
      return fmt::format("being changed: journal {}", journal->second);
    }
    if (name.kind == LvKind::kVhdVdi) return std::string(kVhdReason);
    if (name.kind == LvKind::kQcow2Vdi) return std::string(kQcow2Reason);
    if (has_hidden_tag(lv.tags)) return "hidden: the base of a chain";
    const VdiRecord* record = record_of(*name.vdi);
    if (record != nullptr && !record->managed) return "not managed: the base of a chain";
    return {};
  }

  void show(const lvm::LogicalVolume& lv, const Uuid& uuid) {
    Volume volume;
    volume.file_name = uuid.text() + ".raw";
    volume.lv_name = lv.name;
    volume.kind = "raw";
    volume.uuid = uuid;
    volume.size_bytes = lv.size_bytes;
    volume.read_only_reason = lv_read_only_reason(lv);
    if (const VdiRecord* record = record_of(uuid)) {
      volume.label = record->label;
      volume.description = record->description;
      if (record->read_only) append(volume.read_only_reason, "MGT marks the VDI read-only");
      if (std::find(kPoolTypes.begin(), kPoolTypes.end(), record->type) != kPoolTypes.end()) {
        append(volume.read_only_reason,
               fmt::format("the pool keeps it for itself (type {})", record->type));
      }
    }
    if (logged_.contains(uuid)) {
      append(volume.read_only_reason,
             "it has a changed-block log, which a write from here would make wrong");
    }
    if (claims_[uuid] > 1) append(volume.read_only_reason, "another LV claims the same VDI");
    volume.read_only = !volume.read_only_reason.empty();
    catalog_.volumes.push_back(std::move(volume));
  }

  [[nodiscard]] const VdiRecord* record_of(const Uuid& uuid) const {
    return contents_.mgt ? contents_.mgt->find(uuid) : nullptr;
  }

  void note_journals() {
    for (const lvm::LogicalVolume& lv : catalog_.vg->volumes) {
      if (classify_lv(lv.name, lv.tags).kind != LvKind::kJournal) continue;
      catalog_.warnings.push_back(
          fmt::format("journal {}: the storage manager has not finished its work; its VDIs are not "
                      "shown and writes will be refused",
                      lv.name));
    }
  }

  void note_records_without_lv() {
    if (!contents_.mgt) return;
    std::vector<std::string> lost;
    for (const VdiRecord& record : contents_.mgt->vdis) {
      if (!claims_.contains(record.uuid)) lost.push_back(record.uuid.text());
    }
    if (lost.empty()) return;
    catalog_.warnings.push_back(
        fmt::format("MGT lists {} VDIs that have no LV, {} the first", lost.size(), lost.front()));
  }

  Catalog catalog_;
  SrContents contents_;
  VdisInTransition in_transition_;
  std::map<Uuid, int> claims_;  ///< LVs that are the VDI by their names
  std::set<Uuid> logged_;       ///< VDIs with a changed-block log
  std::set<Uuid> shown_;
};

}  // namespace

Catalog sort_plain(std::shared_ptr<const lvm::VolumeGroup> vg, bool detached) {
  Catalog catalog = begin(std::move(vg), Layout::kPlain, detached);
  std::set<std::string_view> shown;
  for (const lvm::LogicalVolume& lv : catalog.vg->volumes) {
    if (!lv.visible) {
      catalog.not_shown.push_back({lv.name, "internal to LVM", false, false});
    } else if (const std::string unfit = unfit_reason(lv); !unfit.empty()) {
      catalog.not_shown.push_back({lv.name, unfit, true, false});
    } else if (lv.name == kControlDirectory) {
      catalog.not_shown.push_back(
          {lv.name, "its name is that of the control directory", true, false});
    } else if (!shown.insert(lv.name).second) {
      catalog.not_shown.push_back({lv.name, "another LV has the same name", true, false});
    } else {
      const std::string reason = lv_read_only_reason(lv);
      catalog.volumes.push_back(
          {lv.name, lv.name, "lv", {}, {}, {}, lv.size_bytes, !reason.empty(), reason});
    }
  }
  return catalog;
}

Catalog sort_sr(std::shared_ptr<const lvm::VolumeGroup> vg, SrContents contents, bool detached) {
  return SrSorter(std::move(vg), std::move(contents), detached).sort();
}

}  // namespace lunfs::sr
