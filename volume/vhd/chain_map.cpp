#include "volume/vhd/chain_map.h"

#include <algorithm>
#include <utility>

#include "volume/vhd/sector_runs.h"

namespace lunfs::vhd {

namespace {

using Ranges = std::vector<DiskRange>;

/// Appends a range, as a part of the last one where they touch.
void append(Ranges& ranges, DiskRange next) {
  if (next.begin == next.end) return;
  if (!ranges.empty() && ranges.back().end == next.begin) {
    ranges.back().end = next.end;
  } else {
    ranges.push_back(next);
  }
}

/// What one image holds of the ranges that are asked for, which ascend: its pieces, and what is
/// left to the images below it.
class LayerMapper {
 public:
  LayerMapper(const Image& image, std::uint32_t layer, MetadataCache& cache)
      : image_(image), layout_(image.head.layout), layer_(layer), cache_(cache) {}

  void add(DiskRange range) {
    const std::uint64_t size = image_.head.footer.size_bytes;
    // Beyond this image's end nothing below it counts either.
    if (range.end > size) {
      const std::uint64_t begin = std::max(range.begin, size);
      put(ChainPiece::kZeros, 0, {begin, range.end});
      range.end = begin;
    }
    if (range.begin >= range.end) return;
    if (image_.head.fixed()) return put(layer_, range.begin, range);
    while (range.begin < range.end) {
      const std::uint64_t block = range.begin / layout_.block_bytes;
      const std::uint64_t end = std::min(range.end, (block + 1) * layout_.block_bytes);
      add_in_block(block, {range.begin, end});
      range.begin = end;
    }
  }

  std::vector<ChainPiece> pieces{};
  std::vector<MissingTable> missing{};
  Ranges rest{};

 private:
  /// The table of a kind that was asked for last: ranges ascend, so the next one mostly needs it
  /// again, and each missing one is noted once.
  struct Last {
    std::uint64_t index = UINT64_MAX;
    std::shared_ptr<const CachedTable> table{};  ///< null: it is missing
  };

  void add_in_block(std::uint64_t block, DiskRange range) {
    const CachedTable* page = table(CacheKey::Table::kBat, block / kBatPageEntries, 0, bat_);
    const bool has_batmap = image_.head.batmap.has_value();
    const CachedTable* batmap =
        has_batmap ? table(CacheKey::Table::kBatmap, 0, 0, batmap_) : nullptr;
    if (page == nullptr || (has_batmap && batmap == nullptr)) return;
    const Bat::Place place = page->bat->locate(block);
    if (!place.allocated) return pass_on(range);
    const std::uint64_t start = block * layout_.block_bytes;
    const auto own = [&](DiskRange part) {
      put(layer_, place.data_offset + (part.begin - start), part);
    };
    const bool complete =
        has_batmap && block < batmap->bits.size() * 8 && test_bit(batmap->bits, block);
    if (complete) return own(range);
    const CachedTable* bitmap =
        table(CacheKey::Table::kBitmap, block, place.bitmap_offset, bitmap_);
    if (bitmap == nullptr) return;
    for (const SectorRun& run :
         sector_runs(bitmap->bits, range.begin - start, range.end - range.begin)) {
      const DiskRange part{start + run.offset, start + run.offset + run.length};
      if (run.stored) {
        own(part);
      } else {
        pass_on(part);
      }
    }
  }

  void pass_on(DiskRange range) {
    if (image_.head.differencing()) {
      append(rest, range);
    } else {
      put(ChainPiece::kZeros, 0, range);
    }
  }

  void put(std::uint32_t layer, std::uint64_t lv_offset, DiskRange range) {
    pieces.push_back({layer, lv_offset, range.begin, range.end - range.begin});
  }

  /// Null, and noted as missing, if it is not in the cache.
  const CachedTable* table(CacheKey::Table kind, std::uint64_t index, std::uint64_t lv_offset,
                           Last& last) {
    if (last.index == index) return last.table.get();
    const CacheKey key{.image = image_.number, .index = index, .table = kind};
    last = {index, cache_.find(key)};
    if (!last.table) missing.push_back({layer_, key, lv_offset});
    return last.table.get();
  }

  const Image& image_;
  const Layout& layout_;
  std::uint32_t layer_;
  MetadataCache& cache_;
  Last bat_;
  Last batmap_;
  Last bitmap_;
};

}  // namespace

bool ChainMap::locate(const Images& images, MetadataCache& cache) {
  for (; layer_ < images.size() && !rest_.empty(); ++layer_) {
    LayerMapper mapper(*images[layer_], layer_, cache);
    for (const DiskRange& part : rest_) mapper.add(part);
    missing_ = std::move(mapper.missing);
    if (!missing_.empty()) return false;
    held_.clear();
    pieces_.insert(pieces_.end(), mapper.pieces.begin(), mapper.pieces.end());
    rest_ = std::move(mapper.rest);
  }
  finish(static_cast<std::uint32_t>(images.size()));
  return true;
}

/// What no image holds is the raw base's as far as it reaches, then zeros.
void ChainMap::finish(std::uint32_t base_layer) {
  const std::uint64_t base_bytes = raw_base_bytes_.value_or(0);
  for (const DiskRange& range : std::exchange(rest_, {})) {
    const std::uint64_t middle = std::clamp(base_bytes, range.begin, range.end);
    if (middle > range.begin) {
      pieces_.push_back({base_layer, range.begin, range.begin, middle - range.begin});
    }
    if (range.end > middle) {
      pieces_.push_back({ChainPiece::kZeros, 0, middle, range.end - middle});
    }
  }
  const auto earlier = [](const ChainPiece& a, const ChainPiece& b) {
    return a.disk_offset < b.disk_offset;
  };
  if (!std::is_sorted(pieces_.begin(), pieces_.end(), earlier)) {
    std::sort(pieces_.begin(), pieces_.end(), earlier);
  }
}

}  // namespace lunfs::vhd
