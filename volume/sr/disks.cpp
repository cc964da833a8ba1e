#include "volume/sr/disks.h"

#include <utility>

#include "volume/lvm/lv_device.h"
#include "volume/sr/resolve_disk.h"

namespace lunfs::sr {

namespace {

Task<std::unique_ptr<BlockDevice>> reopen_lv(Medium medium,
                                             std::shared_ptr<const lvm::VolumeGroup> vg,
                                             std::string name) {
  co_return resolve_lv(medium, vg, name);
}

}  // namespace

Disks::Disks(Reactor& reactor, BlockDevice& lun, const Catalog& catalog, std::size_t cache_bytes)
    : reactor_(reactor), lun_(lun), catalog_(catalog), cache_(cache_bytes) {
  if (catalog.may_change) live_.emplace(reactor, lun, catalog.vg);
}

Disk Disks::open_volume(const Vg& vg, const Volume& volume, bool read_only) {
  std::unique_ptr<BlockDevice> device = open_disk(medium(), vg, *volume.disk, read_only);
  if (!live_) return {.device = std::move(device)};
  if (!volume.uuid) return live(std::move(device), opener_of(volume.lv_name));
  return live(std::move(device),
              [this, uuid = *volume.uuid](RequestContext& context,
                                          std::shared_ptr<const lvm::VolumeGroup> now) {
                return resolve_vdi(context, medium(), std::move(now), uuid);
              });
}

Disk Disks::open_lv(const Vg& vg, const lvm::LogicalVolume& lv) {
  auto device = std::make_unique<lvm::LvDevice>(lun_, vg, lv, true);
  if (!live_) return {.device = std::move(device)};
  return live(std::move(device), opener_of(lv.name));
}

LiveDisk::Opener Disks::opener_of(std::string lv_name) {
  return [this, name = std::move(lv_name)](RequestContext&,
                                           std::shared_ptr<const lvm::VolumeGroup> vg) {
    return reopen_lv(medium(), std::move(vg), name);
  };
}

Disk Disks::live(std::unique_ptr<BlockDevice> device, LiveDisk::Opener opener) {
  auto disk = std::make_unique<LiveDisk>(*live_, catalog_.vg, std::move(device), std::move(opener));
  LiveDisk* const same = disk.get();
  return {.device = std::move(disk), .live = same};
}

}  // namespace lunfs::sr
