#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "base/reactor.h"
#include "volume/vhd/chain_map.h"
#include "volume/vhd/metadata_cache.h"

namespace lunfs::vhd {

/// The disk that a chain of VHDs makes, as its guest sees it; read-only. Each sector comes from the
/// first image, leaf first, that holds it, else from the raw base, else it is zeros; what lies
/// beyond a parent's end is zeros to its children. Source: docs/formats/vhd.md, reading a chain.
///
/// Errors of reads: those of the LVs; kCorrupt for a BAT entry that points astray. kBusy if an
/// image's head is no longer what it was when the chain was opened (its tables are read only
/// together with a look at its head): the caller opens the chain anew. Belongs to the reactor's
/// thread.
class Chain final : public BlockDevice {
 public:
  /// @param images  leaf first, at least one; all but the last are differencing
  /// @param raw_base  what the last image's parent is, null if none; byte-granular
  /// `cache` and `reactor` outlive this.
  Chain(Reactor& reactor, MetadataCache& cache, Images images,
        std::unique_ptr<BlockDevice> raw_base);

  [[nodiscard]] Geometry geometry() const noexcept override;

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  /// Pieces of one layer that are read by one command; the gaps between them are read and dropped.
  struct Read {
    std::vector<ChainPiece> parts;
    [[nodiscard]] std::uint64_t lv_begin() const noexcept { return parts.front().lv_offset; }
    [[nodiscard]] std::uint64_t lv_end() const noexcept {
      return parts.back().lv_offset + parts.back().length;
    }
    [[nodiscard]] std::uint64_t length() const noexcept { return lv_end() - lv_begin(); }
    /// Takes the piece in if reading the gap before it costs less than another command.
    bool take(const ChainPiece& piece);
    std::uint64_t wanted_bytes = 0;
  };

  /// Maps the range, reading the tables that are not cached.
  Task<ChainMap> map_range(RequestContext& context, std::uint64_t offset, std::uint64_t length);
  Task<void> load(RequestContext& context, ChainMap& map);
  Task<void> load_one(RequestContext& context, const MissingTable& missing, ChainMap& map);
  Task<void> check_head(RequestContext& context, const Image& image);
  [[nodiscard]] std::vector<Read> reads_of(std::span<const ChainPiece> pieces) const;
  Task<void> fetch(RequestContext& context, std::span<const Read> reads, std::uint64_t offset,
                   IoSpan out);
  Task<void> fetch_joined(RequestContext& context, const Read& read, std::uint64_t offset,
                          IoSpan out);
  Task<bool> fetch_with_gaps(RequestContext& context, const Read& read, std::uint64_t offset,
                             IoSpan out);
  Task<void> add_base_runs(RequestContext& context, std::span<const ChainPiece> pieces,
                           std::vector<Extent>& all);
  [[nodiscard]] std::uint64_t allocated_window() const noexcept;
  [[nodiscard]] BlockDevice& device_of(std::uint32_t layer) const;

  MetadataCache& cache_;
  Images images_;
  std::unique_ptr<BlockDevice> raw_base_;
  RangeLock loading_;  ///< a place for each table: it is read by one request at a time
};

}  // namespace lunfs::vhd
