#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tests/support/vhd_builder.h"
#include "tests/unit/sr/head_values.h"
#include "tests/unit/sr/sr_image.h"

/// Small VHDs for the LVs of an SrImage.
namespace lunfs::sr::testing {

inline constexpr std::uint32_t kBlockBytes = 4096;
inline constexpr std::uint64_t kSmallDiskBytes = 8 * kBlockBytes;

/// A dynamic image whose footer uuid is image_uuid(number).
inline lunfs::testing::VhdShape small_vhd(std::uint8_t number) {
  lunfs::testing::VhdShape shape;
  shape.size_bytes = kSmallDiskBytes;
  shape.block_bytes = kBlockBytes;
  shape.uuid = image_uuid(number);
  return shape;
}

/// @param parent_number  0: a raw parent
inline lunfs::testing::VhdShape small_child(std::uint8_t number, std::uint8_t parent_number,
                                            std::string parent_lv) {
  lunfs::testing::VhdShape shape = small_vhd(number);
  shape.parent =
      lunfs::testing::VhdParent{.uuid = parent_number == 0 ? Uuid() : image_uuid(parent_number),
                                .vg_name = "VG_XenStorage-some-other",
                                .lv_name = std::move(parent_lv)};
  return shape;
}

inline void fill_block(lunfs::testing::VhdBuilder& vhd, std::uint64_t block, char with) {
  const std::string data(kBlockBytes, with);
  vhd.store(block * kBlockBytes / lunfs::testing::kVhdSector, as_byte_span(data));
}

inline void put_vhd(SrImage& image, std::string_view lv, const lunfs::testing::VhdBuilder& vhd) {
  image.put(lv, 0, as_text(vhd.image(SrImage::kExtentBytes)));
}

}  // namespace lunfs::sr::testing
