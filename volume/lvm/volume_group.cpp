#include "volume/lvm/volume_group.h"

#include <algorithm>

namespace lunfs::lvm {

const LogicalVolume* VolumeGroup::find(std::string_view lv_name) const noexcept {
  const auto found = std::find_if(volumes.begin(), volumes.end(),
                                  [&](const LogicalVolume& lv) { return lv.name == lv_name; });
  return found == volumes.end() ? nullptr : &*found;
}

}  // namespace lunfs::lvm
