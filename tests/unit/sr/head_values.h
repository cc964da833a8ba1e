#pragma once

#include <string>
#include <utility>

#include "volume/sr/vhd_heads.h"

/// Heads of VHDs made by hand, for what needs the values and no images behind them.
namespace lunfs::sr::testing {

inline constexpr std::uint64_t kDiskBytes = 64U << 20U;

/// A footer uuid from one byte.
inline Uuid image_uuid(std::uint8_t number) {
  std::array<std::uint8_t, 16> bytes{};
  bytes.fill(number);
  return Uuid(bytes);
}

inline VhdHead dynamic_head(std::uint8_t number, std::uint64_t size_bytes = kDiskBytes) {
  VhdHead head;
  head.image.emplace();
  head.image->footer.type = vhd::DiskType::kDynamic;
  head.image->footer.uuid = image_uuid(number);
  head.image->footer.size_bytes = size_bytes;
  head.image->fingerprint = number;
  return head;
}

/// @param parent_number  0: a raw parent
/// @param parent_name  as the header stores it
inline VhdHead child_head(std::uint8_t number, std::uint8_t parent_number,
                          std::string parent_name) {
  VhdHead head = dynamic_head(number);
  head.image->footer.type = vhd::DiskType::kDifferencing;
  if (parent_number != 0) head.image->header.parent_uuid = image_uuid(parent_number);
  head.image->header.parent_name = std::move(parent_name);
  return head;
}

inline VhdHead hidden(VhdHead head) {
  head.image->footer.hidden = true;
  return head;
}

inline VhdHead faulty_head(std::string fault) {
  VhdHead head;
  head.fault = std::move(fault);
  return head;
}

}  // namespace lunfs::sr::testing
