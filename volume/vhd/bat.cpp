#include "volume/vhd/bat.h"

#include <algorithm>

namespace lunfs::vhd {

namespace {

constexpr std::uint64_t kEntryBytes = 4;

void check_table(const Layout& layout, const Footer& footer, const DynamicHeader& header) {
  if (layout.block_count > kMaxBlocks) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("BAT: the disk has {} blocks, expected at most {}", layout.block_count,
                            kMaxBlocks));
  }
  if (layout.block_count > header.bat_entries) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("BAT: it has {} entries, but {} bytes of disk in blocks of {} need {}",
                    header.bat_entries, layout.size_bytes, layout.block_bytes, layout.block_count));
  }
  const std::uint64_t length = kEntryBytes * header.bat_entries;
  if (!range_fits(header.bat_offset, length, layout.blocks_end)) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("BAT: it takes {} bytes from {} on, but the image has only {}", length,
                            header.bat_offset, layout.blocks_end));
  }
  const std::uint64_t header_end = footer.header_offset + kDynamicHeaderBytes;
  if (header.bat_offset < header_end && footer.header_offset < header.bat_offset + length) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("BAT: it takes {} bytes from {} on, where the dynamic header is, from "
                            "{} on",
                            length, header.bat_offset, footer.header_offset));
  }
}

/// Bytes from one block's bitmap to behind its data.
std::uint64_t stride(const Layout& layout) { return layout.bitmap_bytes + layout.block_bytes; }

void check_entry(const Layout& layout, std::uint64_t block, std::uint32_t sector) {
  if (sector == kNotAllocated) return;
  const std::uint64_t offset = kSectorBytes * sector;
  if (offset >= layout.metadata_end && range_fits(offset, stride(layout), layout.blocks_end)) {
    return;
  }
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("BAT: block {} takes {} bytes from sector {} (byte {}) on, but blocks are "
                  "between bytes {} and {}",
                  block, stride(layout), sector, offset, layout.metadata_end, layout.blocks_end));
}

}  // namespace

Layout make_layout(const Footer& footer, const DynamicHeader& header, std::uint64_t lv_bytes,
                   std::uint64_t metadata_end, bool footer_at_end) {
  Layout layout;
  layout.size_bytes = footer.size_bytes;
  layout.block_bytes = header.block_bytes;
  layout.bitmap_bytes = header.bitmap_bytes();
  layout.block_count = footer.size_bytes / layout.block_bytes +
                       (footer.size_bytes % layout.block_bytes == 0 ? 0 : 1);
  layout.bat_offset = header.bat_offset;
  layout.blocks_end = align_down(lv_bytes, kSectorBytes);
  if (footer_at_end) layout.blocks_end -= std::min(layout.blocks_end, kFooterBytes);
  check_table(layout, footer, header);
  layout.metadata_end = std::max({metadata_end, footer.header_offset + kDynamicHeaderBytes,
                                  header.bat_offset + kEntryBytes * header.bat_entries});
  if (layout.metadata_end > layout.blocks_end) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the image's tables end at byte {}, but it has only {}",
                            layout.metadata_end, layout.blocks_end));
  }
  return layout;
}

Bat::Bat(const Layout& layout, std::uint64_t first_block, ConstByteSpan bytes)
    : first_block_(first_block), bitmap_bytes_(layout.bitmap_bytes) {
  // The table may be longer than the disk; what its rest says, nobody reads.
  const std::uint64_t blocks = layout.block_count - std::min(first_block, layout.block_count);
  sectors_.resize(std::min<std::uint64_t>(bytes.size() / kEntryBytes, blocks));
  for (std::size_t i = 0; i < sectors_.size(); ++i) {
    sectors_[i] = load_be<std::uint32_t>(bytes, i * kEntryBytes);
    check_entry(layout, first_block + i, sectors_[i]);
  }
}

Bat::Place Bat::locate(std::uint64_t block) const noexcept {
  const std::uint32_t sector = sectors_[block - first_block_];
  if (sector == kNotAllocated) return {};
  const std::uint64_t offset = kSectorBytes * sector;
  return {true, offset, offset + bitmap_bytes_};
}

void check_overlaps(const Layout& layout, std::vector<std::uint32_t>& sectors) {
  std::sort(sectors.begin(), sectors.end());
  const std::uint64_t needed = stride(layout) / kSectorBytes;
  const auto found = std::adjacent_find(
      sectors.begin(), sectors.end(),
      [needed](std::uint32_t before, std::uint32_t after) { return after - before < needed; });
  if (found == sectors.end()) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("BAT: the blocks at sectors {} and {} share bytes: each takes {} sectors",
                          found[0], found[1], needed));
}

}  // namespace lunfs::vhd
