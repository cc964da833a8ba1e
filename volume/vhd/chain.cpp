#include "volume/vhd/chain.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/spawn.h"
#include "volume/vhd/table_reader.h"

namespace lunfs::vhd {

namespace {

/// Pieces that lie so near to one another are read together: to move 32 KiB costs about as much as
/// another command.
constexpr std::uint64_t kJoinGapBytes = 32U << 10U;
/// Bounds the memory of a joined read; what a FUSE request asks for at most.
constexpr std::uint64_t kJoinedBytes = 1U << 20U;
/// Commands of one request in flight.
constexpr std::size_t kReadsAtOnce = 64;
/// Tables of one layer that are read at once.
constexpr std::size_t kTablesAtOnce = 64;
/// Of what a joined read reads at least a quarter is wanted: bounds what a request takes beside its
/// own buffer.
constexpr std::uint64_t kJoinedToWanted = 4;
/// allocated() looks at so much of the disk at a time, and at so many blocks at most: what it holds
/// of the tables stays small.
constexpr std::uint64_t kAllocatedWindow = 64U << 20U;
constexpr std::uint64_t kAllocatedBlocks = 4096;

std::uint64_t place_of(const CacheKey& key) noexcept {
  return XXH3_64bits(&key, sizeof key) >> 1U;  // with room for the place's one byte
}

/// Appends a run, as a part of the last one where both are the same.
void append(std::vector<Extent>& all, const Extent& next) {
  if (!all.empty() && all.back().hole == next.hole) {
    all.back().length += next.length;
  } else {
    all.push_back(next);
  }
}

}  // namespace

Chain::Chain(Reactor& reactor, MetadataCache& cache, Images images,
             std::unique_ptr<BlockDevice> raw_base)
    : cache_(cache), images_(std::move(images)), raw_base_(std::move(raw_base)), loading_(reactor) {
  const bool whole =
      !images_.empty() && images_.back()->head.differencing() == (raw_base_ != nullptr);
  const bool linked = whole && std::all_of(images_.begin(), images_.end() - 1,
                                           [](const auto& i) { return i->head.differencing(); });
  if (!linked) throw Error(ErrorKind::kInternal, "a chain whose images do not hang together");
}

Geometry Chain::geometry() const noexcept {
  Geometry shape = images_.front()->lv->geometry();
  shape.size_bytes = images_.front()->head.footer.size_bytes;
  shape.read_only = true;
  shape.can_unmap = false;
  shape.can_compare_and_write = false;
  return shape;
}

BlockDevice& Chain::device_of(std::uint32_t layer) const {
  return layer < images_.size() ? *images_[layer]->lv : *raw_base_;
}

Task<void> Chain::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const ChainMap map = co_await map_range(context, offset, out.size());
  const ChainPiece& first = map.pieces().front();
  if (map.pieces().size() == 1 && first.layer != ChainPiece::kZeros) {
    co_await device_of(first.layer).read(context, first.lv_offset, out);
    co_return;
  }
  for (const ChainPiece& piece : map.pieces()) {
    if (piece.layer != ChainPiece::kZeros) continue;
    std::memset(out.subspan(piece.disk_offset - offset).data(), 0, piece.length);
  }
  const std::vector<Read> reads = reads_of(map.pieces());
  for (std::size_t done = 0; done < reads.size(); done += kReadsAtOnce) {
    const std::size_t count = std::min(kReadsAtOnce, reads.size() - done);
    co_await fetch(context, std::span(reads).subspan(done, count), offset, out);
  }
}

Task<void> Chain::do_write(RequestContext& /*context*/, std::uint64_t /*offset*/,
                           ConstIoSpan /*in*/, WriteFlags /*flags*/) {
  throw Error(ErrorKind::kReadOnly, "a chain of VHDs is only read");
}

Task<void> Chain::do_flush(RequestContext& context) { return images_.front()->lv->flush(context); }

std::uint64_t Chain::allocated_window() const noexcept {
  std::uint64_t window = kAllocatedWindow;
  for (const auto& image : images_) {
    if (image->head.fixed()) continue;
    window = std::min(window, image->head.layout.block_bytes * kAllocatedBlocks);
  }
  return window;
}

Task<std::vector<Extent>> Chain::do_allocated(RequestContext& context, std::uint64_t offset,
                                              std::uint64_t length) {
  std::vector<Extent> all;
  const std::uint64_t end = offset + length;
  const std::uint64_t window = allocated_window();
  for (; offset < end; offset += window) {
    context.check();
    const ChainMap map = co_await map_range(context, offset, std::min(end - offset, window));
    const std::vector<ChainPiece>& pieces = map.pieces();
    for (std::size_t at = 0; at < pieces.size();) {
      const ChainPiece& piece = pieces[at];
      const bool hole = piece.layer == ChainPiece::kZeros;
      if (hole || piece.layer < images_.size()) {
        append(all, {piece.disk_offset, piece.length, hole});
        ++at;
        continue;
      }
      std::size_t last = at;
      while (last < pieces.size() && pieces[last].layer == piece.layer) ++last;
      co_await add_base_runs(context, std::span(pieces).subspan(at, last - at), all);
      at = last;
    }
  }
  co_return all;
}

/// Of neighbouring pieces of the raw base, whose offsets are the disk's.
Task<void> Chain::add_base_runs(RequestContext& context, std::span<const ChainPiece> pieces,
                                std::vector<Extent>& all) {
  const std::uint64_t begin = pieces.front().lv_offset;
  const std::uint64_t end = pieces.back().lv_offset + pieces.back().length;
  const std::vector<Extent> runs = co_await raw_base_->allocated(context, begin, end - begin);
  for (const Extent& run : runs) append(all, run);
}

Task<ChainMap> Chain::map_range(RequestContext& context, std::uint64_t offset,
                                std::uint64_t length) {
  std::optional<std::uint64_t> base_bytes;
  if (raw_base_) base_bytes = raw_base_->geometry().size_bytes;
  ChainMap map(offset, length, base_bytes);
  while (!map.locate(images_, cache_)) co_await load(context, map);
  co_return map;
}

/// Reads what is missing of one layer: its BAT and batmap first, then its bitmaps. The look at the
/// head runs beside it; that a table belongs to another state than the head is noticed by LiveDisk,
/// which asks whether somebody has committed once all of a read was done.
Task<void> Chain::load(RequestContext& context, ChainMap& map) {
  const std::vector<MissingTable> missing = map.missing();
  const Image& image = *images_[missing.front().layer];
  for (std::size_t done = 0; done < missing.size(); done += kTablesAtOnce) {
    std::vector<Task<void>> loads;
    loads.push_back(check_head(context, image));
    const std::size_t end = std::min(missing.size(), done + kTablesAtOnce);
    for (std::size_t i = done; i < end; ++i) loads.push_back(load_one(context, missing[i], map));
    co_await when_all(std::move(loads));
  }
}

Task<void> Chain::load_one(RequestContext& context, const MissingTable& missing, ChainMap& map) {
  RangeLock::Entry turn(loading_, RangeLock::Mode::kExclusive, place_of(missing.key), 1);
  if (!turn.granted()) co_await turn.wait(context);
  std::shared_ptr<const CachedTable> table = cache_.find(missing.key);
  if (!table) {
    CachedTable fresh = co_await read_table(context, *images_[missing.layer], missing);
    table = cache_.put(missing.key, std::move(fresh));
  }
  map.hold(std::move(table));
}

Task<void> Chain::check_head(RequestContext& context, const Image& image) {
  const std::uint64_t found = co_await read_fingerprint(context, *image.lv, image.head);
  if (found == image.head.fingerprint) co_return;
  throw Error(
      ErrorKind::kBusy,
      fmt::format("VHD {}: its footer or header is not what it was when the disk was opened",
                  image.head.footer.uuid.text()))
      .because("a host changes the disk")
      .advise("read again; if it stays so, unmount and mount again");
}

bool Chain::Read::take(const ChainPiece& piece) {
  const std::uint64_t end = piece.lv_offset + piece.length;
  const bool near = piece.lv_offset >= lv_end() && piece.lv_offset - lv_end() <= kJoinGapBytes &&
                    end - lv_begin() <= kJoinedBytes &&
                    end - lv_begin() <= (wanted_bytes + piece.length) * kJoinedToWanted;
  if (!near) return false;
  parts.push_back(piece);
  wanted_bytes += piece.length;
  return true;
}

std::vector<Chain::Read> Chain::reads_of(std::span<const ChainPiece> pieces) const {
  std::vector<Read> reads;
  std::vector<std::size_t> newest(images_.size() + 1, SIZE_MAX);  // by layer: its last read
  for (const ChainPiece& piece : pieces) {
    if (piece.layer == ChainPiece::kZeros) continue;
    std::size_t& last = newest[piece.layer];
    if (last != SIZE_MAX && reads[last].take(piece)) continue;
    last = reads.size();
    reads.push_back({.parts = {piece}, .wanted_bytes = piece.length});
  }
  return reads;
}

Task<void> Chain::fetch(RequestContext& context, std::span<const Read> reads, std::uint64_t offset,
                        IoSpan out) {
  std::vector<Task<void>> tasks;
  for (const Read& read : reads) {
    const ChainPiece& first = read.parts.front();
    if (read.parts.size() == 1) {
      tasks.push_back(device_of(first.layer)
                          .read(context, first.lv_offset,
                                out.subspan(first.disk_offset - offset, first.length)));
    } else {
      tasks.push_back(fetch_joined(context, read, offset, out));
    }
  }
  co_await when_all(std::move(tasks));
}

Task<void> Chain::fetch_joined(RequestContext& context, const Read& read, std::uint64_t offset,
                               IoSpan out) {
  const bool whole = co_await fetch_with_gaps(context, read, offset, out);
  if (whole) co_return;
  // The bad place may lie in a gap, which nobody asked for.
  BlockDevice& device = device_of(read.parts.front().layer);
  for (const ChainPiece& part : read.parts) {
    co_await device.read(context, part.lv_offset,
                         out.subspan(part.disk_offset - offset, part.length));
  }
}

/// False if the storage could not read all of it.
Task<bool> Chain::fetch_with_gaps(RequestContext& context, const Read& read, std::uint64_t offset,
                                  IoSpan out) {
  const auto scratch = std::make_unique_for_overwrite<std::byte[]>(read.length());
  const IoSpan bytes(scratch.get(), read.length());
  try {
    co_await device_of(read.parts.front().layer).read(context, read.lv_begin(), bytes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kIo) throw;
    co_return false;
  }
  for (const ChainPiece& part : read.parts) {
    std::memcpy(out.subspan(part.disk_offset - offset).data(),
                bytes.subspan(part.lv_offset - read.lv_begin()).data(), part.length);
  }
  co_return true;
}

}  // namespace lunfs::vhd
