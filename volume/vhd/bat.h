#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/footer.h"

/// The block allocation table: where each block of the disk lies in the image. Pure; no I/O.
/// Source: docs/formats/vhd.md, BAT.
namespace lunfs::vhd {

/// A disk of 2 TiB in blocks of 128 KiB. Bounds memory; real images have blocks of 2 MiB.
inline constexpr std::uint64_t kMaxBlocks = 16ULL << 20U;
/// The entry of a block that this image does not hold.
inline constexpr std::uint32_t kNotAllocated = 0xFFFFFFFF;

/// The shape of an image: pure arithmetic on its footer and header.
struct Layout {
  std::uint64_t size_bytes = 0;  ///< of the disk
  std::uint64_t block_bytes = 0;
  std::uint64_t bitmap_bytes = 0;  ///< in front of each block's data
  std::uint64_t block_count = 0;   ///< entries of the BAT in use
  std::uint64_t bat_offset = 0;    ///< bytes
  std::uint64_t metadata_end = 0;  ///< bytes; no block begins before
  std::uint64_t blocks_end = 0;    ///< bytes; no block reaches beyond
};

/// @param lv_bytes  of the LV that the image fills
/// @param metadata_end  end of headers, BAT, batmap and locators, bytes
/// @param footer_at_end  the last sector is the footer's
/// Of an image that is not fixed. `metadata_end` of the result covers header and BAT in any case.
/// Errors: kCorrupt if the table is too short for the disk, lies on the header or reaches beyond
/// the LV, or if metadata_end does; kUnsupported for more than kMaxBlocks.
[[nodiscard]] Layout make_layout(const Footer& footer, const DynamicHeader& header,
                                 std::uint64_t lv_bytes, std::uint64_t metadata_end,
                                 bool footer_at_end);

/// Some neighbouring entries of a BAT, each checked against the layout. Immutable.
class Bat {
 public:
  /// What the table says of one block.
  struct Place {
    bool allocated = false;
    std::uint64_t bitmap_offset = 0;  ///< bytes in the LV
    std::uint64_t data_offset = 0;
  };

  /// @param bytes  entries from `first_block` on, as stored; those behind the disk's last block
  ///   and a rest that is no whole entry are left out
  /// Errors: kCorrupt for an entry that points into the metadata or beyond the LV.
  Bat(const Layout& layout, std::uint64_t first_block, ConstByteSpan bytes);

  /// `block` is one of those here.
  [[nodiscard]] Place locate(std::uint64_t block) const noexcept;
  [[nodiscard]] std::uint64_t first_block() const noexcept { return first_block_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return sectors_.size(); }
  [[nodiscard]] const std::vector<std::uint32_t>& sectors() const noexcept { return sectors_; }

 private:
  std::uint64_t first_block_;
  std::uint64_t bitmap_bytes_;
  std::vector<std::uint32_t> sectors_;
};

/// Throws kCorrupt, with their sectors, if two blocks of the image share bytes. `sectors` are all
/// allocated entries, in any order; they are sorted in place.
void check_overlaps(const Layout& layout, std::vector<std::uint32_t>& sectors);

}  // namespace lunfs::vhd
