#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/memory_device.h"

namespace lunfs::sr::testing {

/// A small LUN with a PV and a VG in the memory of a device: LVs of one extent each, at places that
/// follow their order. Changes are made in the device's bytes, as another host would make them.
class SrImage {
 public:
  static constexpr std::uint64_t kExtentBytes = 64U << 10U;

  struct Lv {
    std::string name;
    std::vector<std::string> tags = {};
  };

  /// Writes label, metadata area and the first text (seqno 1).
  SrImage(std::string vg_name, std::vector<Lv> lvs);

  [[nodiscard]] lunfs::testing::MemoryDevice& device() noexcept { return device_; }

  /// Commits a VG of these LVs: seqno + 1. LVs keep their extents as long as they keep their place.
  void commit(std::vector<Lv> lvs);

  /// Where the LV's byte 0 is, in bytes.
  [[nodiscard]] std::uint64_t offset_of(std::string_view lv_name) const;

  /// Puts `content` into the LV at `offset`.
  void put(std::string_view lv_name, std::uint64_t offset, std::string_view content);

 private:
  void store(std::uint64_t offset, std::string_view content);
  void write_label();
  void write_area(std::string_view text);
  [[nodiscard]] std::string text() const;

  std::string vg_name_;
  std::vector<Lv> lvs_;
  std::uint32_t seqno_ = 1;
  lunfs::testing::MemoryDevice device_;
};

}  // namespace lunfs::sr::testing
