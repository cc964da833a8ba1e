#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/uuid.h"
#include "volume/lvm/volume_group.h"
#include "volume/sr/open_disk.h"

namespace lunfs::sr {

/// How the VG's LVs become files.
enum class Layout {
  kPlain,      ///< every visible, mapped LV under its own name
  kXenServer,  ///< VG_XenStorage-<uuid>: VDIs as <uuid>.raw
};

/// One file of the mount's root.
struct Volume {
  std::string file_name;  ///< "<vdi uuid>.raw", or the LV's name
  std::string lv_name;
  std::string kind;                 ///< "raw" or "vhd" (a VDI), "lv" (plain layout)
  std::optional<Uuid> uuid;         ///< the VDI's
  std::string label;                ///< from MGT; empty where unknown
  std::string description;          ///< from MGT
  std::optional<Uuid> snapshot_of;  ///< from MGT: the VDI that it is a snapshot of
  std::uint64_t size_bytes = 0;     ///< as its guest sees it
  /// Of them stored in the VG, by itself or by an image that it stands on.
  std::uint64_t allocated_bytes = 0;
  bool read_only = false;        ///< this one alone; see Catalog::read_only_reason for all
  std::string read_only_reason;  ///< empty if it is not
  /// What it is read from: for open_disk(). Never null in a catalog.
  std::shared_ptr<const DiskSource> disk;

  [[nodiscard]] bool is_vhd() const noexcept { return disk && !disk->plan.images.empty(); }
};

/// An LV that has no file in the root, and why ("base copy", "journal of the storage manager",
/// ...). A damaged or unmappable one is `faulty`: the mount counts these.
struct NotShown {
  std::string lv_name;
  std::string reason;
  bool faulty = false;
  bool vhd = false;  ///< a VHD volume
  // Known only of what is a VDI by its name.
  std::optional<Uuid> uuid{};
  std::string kind{};   ///< "raw", "vhd", "qcow2"; empty for what is no VDI
  std::string label{};  ///< from MGT
  bool base = false;    ///< a base copy: there for the disks that stand on it, or for none
};

/// A symbolic link of .lunfs/by-name.
struct NameLink {
  std::string name;       ///< the escaped label, made unique, with ".raw"
  std::string file_name;  ///< the Volume that it leads to
};

/// What a VG means: a pure description, an immutable value once made.
struct Catalog {
  Layout layout = Layout::kPlain;
  std::optional<Uuid> sr_uuid;
  std::string sr_label;
  std::string sr_description;
  std::string sr_allocation;  ///< from MGT: "thick", "thin"; empty where unknown
  std::shared_ptr<const lvm::VolumeGroup> vg;
  std::vector<Volume> volumes;
  std::vector<NotShown> not_shown;
  std::vector<NameLink> links;
  /// LVs that stand under .lunfs/lv as bytes: every mapped one, hidden ones too.
  std::vector<std::string> lv_names;
  /// A pool may be changing the SR while it is read: nobody stated that it is detached.
  bool may_change = false;
  /// Why no volume may be written, a sentence with the option that helps; empty = writing allowed.
  std::string read_only_reason;
  /// Oddities worth a log line each (a bad MGT slot, ...).
  std::vector<std::string> warnings;
};

/// Reads MGT where there is one, the heads and BATs of VHDs, and sorts the VG's LVs. Never writes;
/// a damaged MGT costs the names, not the disks, a damaged VHD the disks that are read from it.
/// @param detached  the user states that no host has the SR plugged
Task<Catalog> read_catalog(RequestContext& context, BlockDevice& device,
                           std::shared_ptr<const lvm::VolumeGroup> vg, bool detached);

/// The catalog of the VG that the LUN holds. Reads it again if somebody has committed meanwhile, so
/// that it is all of one state. kBusy if the commits do not end.
Task<std::shared_ptr<const Catalog>> read_current_catalog(RequestContext& context,
                                                          BlockDevice& device, Reactor& reactor,
                                                          bool detached);

}  // namespace lunfs::sr
