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
constexpr std::string_view kVhdReadOnly = "a VHD, which this version reads but does not write";
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
  catalog.may_change = is_xenserver_vg(vg->name) && !detached;
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

/// What an LV is read from that holds a disk's bytes as they are.
std::shared_ptr<const DiskSource> plain_source(const lvm::LogicalVolume& lv) {
  DiskSource source;
  source.plan.raw_base = lv.name;
  return std::make_shared<const DiskSource>(std::move(source));
}

class SrSorter {
 public:
  SrSorter(std::shared_ptr<const lvm::VolumeGroup> vg, SrContents contents, bool detached)
      : catalog_(begin(std::move(vg), Layout::kXenServer, detached)),
        contents_(std::move(contents)),
        heads_(std::make_shared<const VhdHeads>(std::move(contents_.heads))),
        in_transition_(vdis_in_transition(*catalog_.vg, contents_.journal_values)),
        planner_(*catalog_.vg, *heads_, in_transition_) {}

  Catalog sort() {
    catalog_.sr_uuid = sr_uuid_of_vg(catalog_.vg->name);
    catalog_.warnings = std::move(contents_.warnings);
    take_names();
    count_claims();
    note_parents();
    for (const lvm::LogicalVolume& lv : catalog_.vg->volumes) sort_one(lv);
    note_journals();
    note_records_without_lv();
    for (NotShown& one : catalog_.not_shown) describe(one);
    catalog_.links = make_name_links(catalog_.volumes);
    return std::move(catalog_);
  }

 private:
  void take_names() {
    if (!contents_.mgt) return;
    const Mgt& mgt = *contents_.mgt;
    catalog_.sr_label = mgt.label;
    catalog_.sr_description = mgt.description;
    catalog_.sr_allocation = mgt.allocation;
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

  /// Every LV that a VHD names as its parent, and whether some VHD could not be asked.
  void note_parents() {
    for (const auto& [name, head] : *heads_) {
      if (const std::string_view parent = planner_.parent_of(head); !parent.empty()) {
        parents_.insert(parent);
      }
      if (!head.image) some_head_is_unknown_ = true;
    }
  }

  void sort_one(const lvm::LogicalVolume& lv) {
    const LvName name = classify_lv(lv.name, lv.tags);
    const bool vhd = name.kind == LvKind::kVhdVdi;
    if (const std::string unfit = unfit_reason(lv); !unfit.empty()) {
      catalog_.not_shown.push_back({lv.name, unfit, true, vhd});
    } else if (const std::string reason = hidden_reason(lv, name); !reason.empty()) {
      catalog_.not_shown.push_back({lv.name, reason, false, vhd});
    } else if (vhd) {
      sort_vhd(lv, *name.vdi);
    } else if (!shown_.insert(*name.vdi).second) {
      catalog_.not_shown.push_back({lv.name, "another LV is the same VDI", true, false});
    } else {
      show_raw(lv, *name.vdi);
    }
  }

  /// A VHD that no journal names.
  void sort_vhd(const lvm::LogicalVolume& lv, const Uuid& uuid) {
    const auto head = heads_->find(lv.name);
    if (head != heads_->end() && head->second.image && head->second.image->footer.hidden) {
      catalog_.not_shown.push_back({lv.name, hidden_vhd_reason(lv.name), false, true});
      return;
    }
    ChainPlan plan = planner_.plan(lv.name);
    std::string fault = plan.needs_head.empty() ? plan.fault : plan.needs_head + " was not read";
    bool faulty = !plan.changing();
    if (fault.empty() && (raw_vdi_exists(uuid) || !shown_.insert(uuid).second)) {
      fault = "another LV is the same VDI";
      faulty = true;
    }
    if (fault.empty()) {
      show_vhd(lv, uuid, head->second, std::move(plan));
    } else {
      catalog_.not_shown.push_back({lv.name, fault, faulty, true});
    }
  }

  [[nodiscard]] std::string hidden_vhd_reason(const std::string& lv_name) const {
    if (parents_.contains(lv_name)) return "base copy: there for the disks that stand on it";
    if (some_head_is_unknown_) {
      return "hidden, and nobody's parent as far as the SR's VHDs can be read";
    }
    return "hidden and nobody's parent: waste that the storage manager has not removed yet";
  }

  /// A raw VDI of that uuid that is a disk of its own: nobody can tell which LV is right then, but
  /// a raw one is at least whole.
  [[nodiscard]] bool raw_vdi_exists(const Uuid& uuid) const {
    const lvm::LogicalVolume* raw = catalog_.vg->find("LV-" + uuid.text());
    return raw != nullptr && !has_hidden_tag(raw->tags);
  }

  /// Why a sound LV is no file; empty for a raw VDI that is one, and for VHDs, of which their heads
  /// decide.
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
      return fmt::format("being changed: journal {}", journal->second.front().lv_name);
    }
    if (name.kind == LvKind::kVhdVdi) return {};
    if (name.kind == LvKind::kQcow2Vdi) return std::string(kQcow2Reason);
    if (has_hidden_tag(lv.tags)) return "hidden: the base of a chain";
    const VdiRecord* record = record_of(*name.vdi);
    if (record != nullptr && !record->managed) return "not managed: the base of a chain";
    return {};
  }

  void show_raw(const lvm::LogicalVolume& lv, const Uuid& uuid) {
    Volume volume = volume_of(lv, uuid);
    volume.kind = "raw";
    volume.size_bytes = lv.size_bytes;
    volume.allocated_bytes = lv.size_bytes;
    volume.disk = plain_source(lv);
    catalog_.volumes.push_back(std::move(volume));
  }

  void show_vhd(const lvm::LogicalVolume& lv, const Uuid& uuid, const VhdHead& head,
                ChainPlan plan) {
    Volume volume = volume_of(lv, uuid);
    volume.kind = "vhd";
    volume.size_bytes = head.image->footer.size_bytes;
    volume.allocated_bytes = head.allocated_bytes;
    volume.disk = std::make_shared<const DiskSource>(DiskSource{std::move(plan), heads_});
    std::string reason(kVhdReadOnly);
    append(reason, volume.read_only_reason);
    volume.read_only_reason = std::move(reason);
    volume.read_only = true;
    catalog_.volumes.push_back(std::move(volume));
  }

  /// What does not depend on how the disk is stored.
  Volume volume_of(const lvm::LogicalVolume& lv, const Uuid& uuid) {
    Volume volume;
    volume.file_name = uuid.text() + ".raw";
    volume.lv_name = lv.name;
    volume.uuid = uuid;
    volume.read_only_reason = lv_read_only_reason(lv);
    if (const VdiRecord* record = record_of(uuid)) {
      volume.label = record->label;
      volume.description = record->description;
      volume.snapshot_of = record->snapshot_of;
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
    return volume;
  }

  [[nodiscard]] const VdiRecord* record_of(const Uuid& uuid) const {
    return contents_.mgt ? contents_.mgt->find(uuid) : nullptr;
  }

  /// What is known of a VDI that is not shown.
  void describe(NotShown& one) const {
    const lvm::LogicalVolume* lv = catalog_.vg->find(one.lv_name);
    if (lv == nullptr) return;
    const LvName name = classify_lv(lv->name, lv->tags);
    if (name.kind == LvKind::kRawVdi) one.kind = "raw";
    if (name.kind == LvKind::kVhdVdi) one.kind = "vhd";
    if (name.kind == LvKind::kQcow2Vdi) one.kind = "qcow2";
    if (one.kind.empty()) return;
    one.uuid = name.vdi;
    one.base = has_hidden_tag(lv->tags);
    const auto head = heads_->find(lv->name);
    if (head != heads_->end() && head->second.image && head->second.image->footer.hidden) {
      one.base = true;
    }
    if (const VdiRecord* record = record_of(*name.vdi)) {
      one.label = record->label;
      one.base = one.base || !record->managed;
    }
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
  std::shared_ptr<const VhdHeads> heads_;
  VdisInTransition in_transition_;
  ChainPlanner planner_;
  std::map<Uuid, int> claims_;  ///< LVs that are the VDI by their names
  std::set<Uuid> logged_;       ///< VDIs with a changed-block log
  std::set<Uuid> shown_;
  std::set<std::string_view> parents_;  ///< LVs that VHDs stand on
  bool some_head_is_unknown_ = false;
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
      Volume volume;
      volume.file_name = lv.name;
      volume.lv_name = lv.name;
      volume.kind = "lv";
      volume.size_bytes = lv.size_bytes;
      volume.allocated_bytes = lv.size_bytes;
      volume.read_only_reason = lv_read_only_reason(lv);
      volume.read_only = !volume.read_only_reason.empty();
      volume.disk = plain_source(lv);
      catalog.volumes.push_back(std::move(volume));
    }
  }
  return catalog;
}

Catalog sort_sr(std::shared_ptr<const lvm::VolumeGroup> vg, SrContents contents, bool detached) {
  return SrSorter(std::move(vg), std::move(contents), detached).sort();
}

}  // namespace lunfs::sr
