#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/vhd_builder.h"

/// The single structures of the images that VhdBuilder writes.
namespace lunfs::testing {

/// The dynamic header; kept apart from the builder, which knows where things lie.
struct VhdHeaderPlan {
  std::uint64_t bat_offset = 0;
  std::uint32_t bat_entries = 0;
  std::uint64_t locators_offset = 0;
};
std::vector<std::byte> vhd_header(const VhdShape& shape, const VhdHeaderPlan& plan);

/// The texts of the three locators, each at most a sector: MacX, W2ku, W2ru.
std::vector<std::vector<std::byte>> vhd_locator_texts(const VhdParent& parent);
inline constexpr std::uint64_t kVhdLocators = 3;

/// The LV's name as device-mapper joins it with that of its VG.
std::string device_mapper_name(std::string_view vg, std::string_view lv);

/// Over how many bytes of a batmap its checksum goes.
std::uint64_t vhd_batmap_checked_bytes(std::uint64_t size_bytes);
std::uint32_t vhd_batmap_checksum(ConstByteSpan bytes, bool bytes_are_signed);

}  // namespace lunfs::testing
