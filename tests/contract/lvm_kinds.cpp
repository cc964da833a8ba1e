// LVs in layouts that cut requests: several segments out of order, stripes, blocks below.
#include "base/unaligned_device.h"
#include "tests/contract/block_device_contract.h"
#include "tests/support/memory_device.h"
#include "volume/lvm/lv_device.h"

namespace lunfs::testing {
namespace {

constexpr std::uint64_t kPeStartBytes = 8192;
constexpr std::uint64_t kExtentBytes = 32 * 1024;
constexpr std::uint32_t kPvExtents = 16;

/// An LV of these segments on a PV in memory.
Rig lv_rig(const Surroundings& around, std::vector<lvm::Segment> segments, std::uint32_t block) {
  auto memory = std::make_unique<MemoryDevice>(kPeStartBytes + kPvExtents * kExtentBytes, block);
  memory->suspend_through(around.reactor, 9);
  const auto pv = std::make_shared<UnalignedDevice>(around.reactor, std::move(memory));

  auto vg = std::make_shared<lvm::VolumeGroup>();
  vg->name = "vg";
  vg->extent_bytes = kExtentBytes;
  vg->extent_count = kPvExtents;
  vg->pe_start_bytes = kPeStartBytes;
  lvm::LogicalVolume lv;
  lv.name = "lv";
  lv.map = std::make_shared<lvm::SegmentMap>(kPeStartBytes, kExtentBytes, std::move(segments));
  lv.size_bytes = lv.map->size_bytes();
  vg->volumes.push_back(std::move(lv));
  return {.below = {pv},
          .device = std::make_unique<lvm::LvDevice>(*pv, vg, vg->volumes[0], around.read_only),
          .skipped_because = {}};
}

Rig linear_rig(const Surroundings& around) {
  return lv_rig(around,
                {{.start_le = 0, .extent_count = 5, .stripe_size_sectors = 0, .stripes = {{3}}}},
                512);
}

Rig segments_rig(const Surroundings& around) {
  return lv_rig(around,
                {{.start_le = 0, .extent_count = 1, .stripe_size_sectors = 0, .stripes = {{9}}},
                 {.start_le = 1, .extent_count = 2, .stripe_size_sectors = 0, .stripes = {{0}}},
                 {.start_le = 3, .extent_count = 1, .stripe_size_sectors = 0, .stripes = {{2}}},
                 {.start_le = 4, .extent_count = 1, .stripe_size_sectors = 0, .stripes = {{15}}}},
                4096);
}

Rig striped_rig(const Surroundings& around) {
  return lv_rig(
      around,
      {{.start_le = 0, .extent_count = 6, .stripe_size_sectors = 8, .stripes = {{8}, {2}, {13}}},
       {.start_le = 6, .extent_count = 1, .stripe_size_sectors = 0, .stripes = {{0}}}},
      512);
}

const std::vector<DeviceKind> kVolumes{
    {"LinearLv", linear_rig},
    {"LvOfSegments", segments_rig, 4096},
    {"StripedLv", striped_rig},
};

INSTANTIATE_TEST_SUITE_P(Lvm, BlockDeviceReads, ::testing::ValuesIn(kVolumes), name_of);
INSTANTIATE_TEST_SUITE_P(Lvm, BlockDeviceWrites, ::testing::ValuesIn(kVolumes), name_of);

}  // namespace
}  // namespace lunfs::testing
