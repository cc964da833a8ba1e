#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "volume/lvm/volume_group.h"

/// VGs made by hand, for what needs the values and no bytes behind them.
namespace lunfs::sr::testing {

inline constexpr std::uint64_t kExtentBytes = 4U << 20U;
inline constexpr std::uint64_t kLvBytes = kExtentBytes;

/// A visible, writable LV of one extent.
inline lvm::LogicalVolume lv(std::string name, std::vector<std::string> tags = {},
                             std::uint32_t first_pe = 0) {
  lvm::LogicalVolume result;
  result.name = std::move(name);
  result.tags = std::move(tags);
  result.size_bytes = kLvBytes;
  result.map = std::make_shared<const lvm::SegmentMap>(
      0, kExtentBytes, std::vector<lvm::Segment>{{0, 1, 0, {{first_pe}}}});
  return result;
}

inline lvm::LogicalVolume unmapped(std::string name, std::string reason) {
  lvm::LogicalVolume result;
  result.name = std::move(name);
  result.size_bytes = kLvBytes;
  result.unmapped_reason = std::move(reason);
  return result;
}

inline std::shared_ptr<const lvm::VolumeGroup> vg_of(std::string name,
                                                     std::vector<lvm::LogicalVolume> volumes) {
  auto vg = std::make_shared<lvm::VolumeGroup>();
  vg->name = std::move(name);
  vg->extent_bytes = kExtentBytes;
  vg->volumes = std::move(volumes);
  return vg;
}

}  // namespace lunfs::sr::testing
