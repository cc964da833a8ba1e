#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/reactor.h"
#include "base/unaligned_device.h"
#include "tests/support/fault_device.h"
#include "tests/support/memory_device.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::testing {

/// A VG in memory whose LVs lie in many segments that are mixed up with each other. Every request
/// to the LUN suspends a few times, so that requests interleave.
class ScatteredVg {
 public:
  struct Content {
    std::string name;
    std::vector<std::byte> bytes;  ///< whole extents
  };

  static constexpr std::uint64_t kExtentBytes = 32U << 10U;
  static constexpr std::string_view kName = "VG_XenStorage-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

  /// `reactor` outlives this. The seed decides over the layout and the LUN's block size.
  ScatteredVg(Reactor& reactor, std::uint32_t seed, const std::vector<Content>& volumes);

  /// Read-only. Not to outlive this.
  [[nodiscard]] std::unique_ptr<BlockDevice> open(std::string_view lv) const;

  /// What all LVs are read from, in whole blocks of the LUN; for rules that disturb.
  [[nodiscard]] FaultDevice& lun() noexcept { return faults_; }
  /// Requests that touch a byte of [offset, offset + length) of the LV.
  [[nodiscard]] FaultDevice::Matcher touching(std::string_view lv, std::uint64_t offset,
                                              std::uint64_t length) const;
  [[nodiscard]] FaultDevice::Matcher touching(std::string_view lv) const;

  /// Overwrites bytes of an LV, as another host would.
  void put(std::string_view lv, std::uint64_t offset, ConstIoSpan bytes);

 private:
  [[nodiscard]] const lvm::LogicalVolume& find(std::string_view lv) const;

  std::shared_ptr<lvm::VolumeGroup> vg_;
  std::unique_ptr<MemoryDevice> memory_;
  FaultDevice faults_;
  std::unique_ptr<UnalignedDevice> bytes_;  ///< the LUN of single bytes
};

}  // namespace lunfs::testing
