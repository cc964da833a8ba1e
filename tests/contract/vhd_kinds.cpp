// Chains of VHDs in LVs: one image, and three on a raw base, in blocks small and large.
#include "tests/contract/block_device_contract.h"
#include "tests/support/open_chain.h"
#include "tests/support/scattered_vg.h"
#include "tests/support/vhd_builder.h"

namespace lunfs::testing {
namespace {

constexpr std::uint64_t kSizeBytes = 200 * 1024;  // no multiple of the larger blocks

/// What chains stand on; destroyed after them.
struct Below {
  Below(Reactor& reactor, const std::vector<ScatteredVg::Content>& volumes)
      : vg(reactor, 7, volumes) {}
  vhd::MetadataCache cache;
  ScatteredVg vg;
};

/// A VHD that holds every third run of `sectors` sectors, from `first` on.
VhdBuilder image(std::uint8_t number, std::uint32_t block_bytes, std::optional<VhdParent> parent) {
  VhdShape shape;
  shape.size_bytes = kSizeBytes;
  shape.block_bytes = block_bytes;
  shape.uuid = Uuid({number});
  shape.parent = std::move(parent);
  VhdBuilder builder(shape);
  constexpr std::uint64_t kRun = 11;
  for (std::uint64_t at = number * kRun; at + kRun < kSizeBytes / kVhdSector; at += 3 * kRun) {
    builder.store(at, std::vector<std::byte>(kRun * kVhdSector, std::byte{number}));
  }
  return builder;
}

std::uint64_t whole_extents(std::uint64_t bytes) {
  constexpr std::uint64_t kExtent = ScatteredVg::kExtentBytes;
  return (bytes + kExtent - 1) / kExtent * kExtent;
}

Rig chain_rig(const Surroundings& around, const std::vector<VhdBuilder>& images, bool raw_base) {
  std::vector<ScatteredVg::Content> volumes;
  std::vector<std::string> names;
  for (const VhdBuilder& one : images) {
    names.push_back("VHD-" + one.shape().uuid.text());
    volumes.push_back(
        {.name = names.back(), .bytes = one.image(whole_extents(one.smallest_lv_bytes()))});
  }
  const std::string base = raw_base ? "LV-base" : "";
  if (raw_base) {
    // Smaller than the disk: beyond its end are zeros.
    volumes.push_back(
        {.name = base,
         .bytes = std::vector<std::byte>(3 * ScatteredVg::kExtentBytes, std::byte{0x77})});
  }
  const auto below = std::make_shared<Below>(around.reactor, volumes);
  return {.below = {below},
          .device = open_chain(around.reactor, below->cache, names, base,
                               [&](std::string_view lv) { return below->vg.open(lv); }),
          .skipped_because = {}};
}

Rig one_image_rig(const Surroundings& around) {
  return chain_rig(around, {image(1, 2U << 20U, std::nullopt)}, false);
}

Rig raw_base_rig(const Surroundings& around) {
  const auto on = [](std::uint8_t number) {
    return VhdParent{.uuid = number == 0 ? Uuid() : Uuid({number}), .vg_name = "", .lv_name = "x"};
  };
  return chain_rig(
      around, {image(3, 4096, on(2)), image(2, 64U << 10U, on(1)), image(1, 16U << 10U, on(0))},
      true);
}

const std::vector<DeviceKind> kChains{
    {"VhdOfOneImage", one_image_rig},
    {"VhdChainOnARawBase", raw_base_rig},
};

INSTANTIATE_TEST_SUITE_P(Vhd, BlockDeviceReads, ::testing::ValuesIn(kChains), name_of);

}  // namespace
}  // namespace lunfs::testing
