#include "volume/sr/vhd_heads.h"

#include <algorithm>
#include <utility>

#include "base/spawn.h"
#include "volume/lvm/lv_device.h"
#include "volume/sr/lv_name.h"
#include "volume/sr/read_faults.h"

namespace lunfs::sr {

namespace {

// A head is a few small reads one after the other: enough heads to hide the distance to the target,
// few enough to leave its queue to others.
constexpr std::size_t kHeadsAtOnce = 32;

/// The locators are a second way to the parent; reading them is left out where the first one leads
/// somewhere.
bool needs_locators(const lvm::VolumeGroup& vg, const vhd::ImageHead& image) {
  if (!image.differencing()) return false;
  const std::string name = vhd::lv_name_of_parent(image.header.parent_name);
  return name.empty() || vg.find(name) == nullptr;
}

/// Into an element of the map, which stays where it is.
Task<void> read_into(RequestContext& context, BlockDevice& lun,
                     std::shared_ptr<const lvm::VolumeGroup> vg, const lvm::LogicalVolume& lv,
                     VhdHead& head) {
  VhdHead found = co_await read_vhd_head(context, lun, std::move(vg), lv);
  head = std::move(found);
}

}  // namespace

Task<VhdHead> read_vhd_head(RequestContext& context, BlockDevice& lun,
                            std::shared_ptr<const lvm::VolumeGroup> vg,
                            const lvm::LogicalVolume& lv) {
  VhdHead head;
  try {
    lvm::LvDevice device(lun, vg, lv, true);
    vhd::ImageHead image = co_await vhd::read_image_head(context, device);
    head.image = std::move(image);
    if (needs_locators(*vg, *head.image)) {
      std::vector<std::string> names =
          co_await vhd::read_parent_names(context, device, *head.image);
      head.parent_names = std::move(names);
    }
  } catch (const Error& error) {
    if (costs_the_mount(error)) throw;
    head.fault = error.message();
    head.fault_kind = error.kind();
  }
  co_return head;
}

Task<VhdHeads> read_vhd_heads(RequestContext& context, BlockDevice& lun,
                              std::shared_ptr<const lvm::VolumeGroup> vg) {
  VhdHeads heads;
  std::vector<std::pair<const lvm::LogicalVolume*, VhdHead*>> wanted;
  for (const lvm::LogicalVolume& lv : vg->volumes) {
    if (lv.map == nullptr || classify_lv(lv.name, lv.tags).kind != LvKind::kVhdVdi) continue;
    const auto [place, added] = heads.try_emplace(lv.name);
    if (added) wanted.emplace_back(&lv, &place->second);
  }
  for (std::size_t done = 0; done < wanted.size(); done += kHeadsAtOnce) {
    std::vector<Task<void>> tasks;
    for (std::size_t i = done; i < std::min(wanted.size(), done + kHeadsAtOnce); ++i) {
      tasks.push_back(read_into(context, lun, vg, *wanted[i].first, *wanted[i].second));
    }
    co_await when_all(std::move(tasks));
  }
  co_return heads;
}

}  // namespace lunfs::sr
