#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/block_device.h"
#include "volume/vhd/image_head.h"
#include "volume/vhd/metadata_cache.h"

/// Which image of a chain holds a range of the disk, as far as the cached tables tell. No I/O.
/// Source: docs/formats/vhd.md, reading a chain.
namespace lunfs::vhd {

/// One image of a chain: the LV that it fills and what its head says. Shared by the chains that
/// have it in common. `number` is MetadataCache::new_image()'s.
struct Image {
  std::unique_ptr<BlockDevice> lv;  ///< byte-granular
  ImageHead head;
  std::uint64_t number = 0;
};

using Images = std::vector<std::shared_ptr<const Image>>;

/// Entries of a BAT that are read and kept together: 16 KiB, 8 GiB of the usual blocks.
inline constexpr std::uint64_t kBatPageEntries = 4096;

/// A run of the disk that lies in one piece in one LV, or is zeros.
struct ChainPiece {
  static constexpr std::uint32_t kZeros = UINT32_MAX;

  std::uint32_t layer = kZeros;  ///< index into the images; their number for the raw base
  std::uint64_t lv_offset = 0;   ///< bytes; not of zeros
  std::uint64_t disk_offset = 0;
  std::uint64_t length = 0;

  bool operator==(const ChainPiece&) const = default;
};

/// A table that must be read before the range can be mapped.
struct MissingTable {
  std::uint32_t layer = 0;
  CacheKey key;
  std::uint64_t lv_offset = 0;  ///< bytes; of a bitmap. The others' places follow from the head
};

/// [begin, end) of the disk, in bytes.
struct DiskRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The mapping of one range of the disk, layer by layer: locate() goes on where the tables of a
/// layer were missing, when these have been read.
class ChainMap {
 public:
  /// The range lies within the disk. @param raw_base_bytes  size of the raw base, nullopt if none.
  ChainMap(std::uint64_t offset, std::uint64_t length, std::optional<std::uint64_t> raw_base_bytes)
      : rest_{{offset, offset + length}}, raw_base_bytes_(raw_base_bytes) {}

  /// Maps as far as the cached tables tell. A layer is asked only for what those above do not hold.
  /// @return true if pieces() are complete; else missing() says what to read of one layer.
  bool locate(const Images& images, MetadataCache& cache);

  /// In the disk's order, without a gap.
  [[nodiscard]] const std::vector<ChainPiece>& pieces() const noexcept { return pieces_; }
  /// Each once.
  [[nodiscard]] const std::vector<MissingTable>& missing() const noexcept { return missing_; }
  /// Keeps a table that was read until its layer is mapped: it cannot go before it is used.
  void hold(std::shared_ptr<const CachedTable> table) { held_.push_back(std::move(table)); }

 private:
  void finish(std::uint32_t base_layer);

  std::uint32_t layer_ = 0;      ///< the one to be asked next
  std::vector<DiskRange> rest_;  ///< what those above it do not hold
  std::optional<std::uint64_t> raw_base_bytes_;
  std::vector<ChainPiece> pieces_;
  std::vector<MissingTable> missing_;
  std::vector<std::shared_ptr<const CachedTable>> held_;
};

}  // namespace lunfs::vhd
