#include "volume/vhd/table_reader.h"

#include <algorithm>
#include <memory>

namespace lunfs::vhd {

namespace {

using Bytes = std::vector<std::byte>;

Task<CachedTable> read_bat_page(RequestContext& context, const Image& image, std::uint64_t page) {
  const Layout& layout = image.head.layout;
  const std::uint64_t first = page * kBatPageEntries;
  const std::uint64_t count = std::min(kBatPageEntries, layout.block_count - first);
  Bytes bytes(count * sizeof(std::uint32_t));
  co_await image.lv->read(context, layout.bat_offset + first * sizeof(std::uint32_t), bytes);
  CachedTable table;
  table.bat = std::make_unique<const Bat>(layout, first, bytes);
  co_return table;
}

Task<CachedTable> read_batmap(RequestContext& context, const Image& image) {
  const BatmapHeader& header = *image.head.batmap;
  // Bits that the checksum does not cover are not believed: these blocks' bitmaps are read.
  const std::uint64_t checked = batmap_checked_bytes(image.head.footer.size_bytes);
  CachedTable table;
  if (checked > header.length_bytes) co_return table;
  table.bits.resize(checked);
  co_await image.lv->read(context, header.offset, table.bits);
  if (!batmap_is_good(header, table.bits)) table.bits.clear();
  co_return table;
}

Task<CachedTable> read_bitmap(RequestContext& context, const Image& image, std::uint64_t offset) {
  CachedTable table;
  table.bits.resize(image.head.layout.bitmap_bytes);
  co_await image.lv->read(context, offset, table.bits);
  co_return table;
}

}  // namespace

Task<CachedTable> read_table(RequestContext& context, const Image& image,
                             const MissingTable& wanted) {
  switch (wanted.key.table) {
    case CacheKey::Table::kBat:
      return read_bat_page(context, image, wanted.key.index);
    case CacheKey::Table::kBatmap:
      return read_batmap(context, image);
    case CacheKey::Table::kBitmap:
      break;
  }
  return read_bitmap(context, image, wanted.lv_offset);
}

}  // namespace lunfs::vhd
