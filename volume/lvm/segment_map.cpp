#include "volume/lvm/segment_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace lunfs::lvm {

namespace {

constexpr std::uint64_t kSectorSize = 512;

Error segment_error(const Segment& segment, const std::string& what) {
  return {ErrorKind::kCorrupt,
          fmt::format("the segment at logical extent {}: {}", segment.start_le, what)};
}

/// Whether the stripes divide the segment as the format asks.
void check_stripes(const Segment& segment, std::uint64_t extent_bytes) {
  const std::uint64_t count = segment.stripes.size();
  if (count == 0) throw segment_error(segment, "it has no stripe");
  if (segment.extent_count % count != 0) {
    throw segment_error(segment, fmt::format("its {} extents cannot be divided among {} stripes",
                                             segment.extent_count, count));
  }
  if (count == 1) return;
  if (segment.stripe_size_sectors == 0) throw segment_error(segment, "its stripe size is 0");
  const std::uint64_t stripe_bytes = segment.stripe_size_sectors * kSectorSize;
  const std::uint64_t each =
      checked_mul<std::uint64_t>(segment.extent_count / count, extent_bytes, "stripe length");
  if (each % stripe_bytes != 0) {
    throw segment_error(segment, fmt::format("its stripes of {} bytes are not whole pieces of {}",
                                             each, stripe_bytes));
  }
}

/// Throws if a byte of the segment would have an address beyond 64 bits.
void check_addresses(const Segment& segment, std::uint64_t pe_start, std::uint64_t extent_bytes) {
  const std::uint64_t each = segment.extent_count / segment.stripes.size();
  for (const Segment::Stripe& stripe : segment.stripes) {
    const std::uint64_t end = checked_mul(stripe.first_pe + each, extent_bytes, "segment's end");
    static_cast<void>(checked_add(pe_start, end, "segment's end"));
  }
}

}  // namespace

SegmentMap::SegmentMap(std::uint64_t pe_start_bytes, std::uint64_t extent_bytes,
                       std::vector<Segment> segments)
    : pe_start_bytes_(pe_start_bytes), extent_bytes_(extent_bytes), segments_(std::move(segments)) {
  if (extent_bytes_ == 0) throw Error(ErrorKind::kCorrupt, "the extent size is 0");
  if (segments_.empty()) throw Error(ErrorKind::kCorrupt, "there is no segment");
  std::uint64_t next_le = 0;
  for (const Segment& segment : segments_) {
    if (segment.start_le != next_le) {
      throw segment_error(segment, fmt::format("expected to start at {}", next_le));
    }
    if (segment.extent_count == 0) throw segment_error(segment, "it has 0 extents");
    check_stripes(segment, extent_bytes_);
    check_addresses(segment, pe_start_bytes_, extent_bytes_);
    next_le += segment.extent_count;
  }
  size_bytes_ = checked_mul(next_le, extent_bytes_, "LV size");
}

bool SegmentMap::starts_with(const SegmentMap& shorter) const noexcept {
  if (pe_start_bytes_ != shorter.pe_start_bytes_ || extent_bytes_ != shorter.extent_bytes_ ||
      segments_.size() < shorter.segments_.size()) {
    return false;
  }
  for (std::size_t i = 0; i < shorter.segments_.size(); ++i) {
    const Segment& mine = segments_[i];
    const Segment& theirs = shorter.segments_[i];
    // The last one may have become longer: rows of stripes are appended at their ends.
    const bool last = i + 1 == shorter.segments_.size();
    if (mine.start_le != theirs.start_le ||
        mine.stripe_size_sectors != theirs.stripe_size_sectors || mine.stripes != theirs.stripes ||
        (last ? mine.extent_count < theirs.extent_count
              : mine.extent_count != theirs.extent_count)) {
      return false;
    }
  }
  return true;
}

Piece SegmentMap::piece_within_segment(std::uint64_t offset) const noexcept {
  const std::uint64_t le = offset / extent_bytes_;
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), le,
      [](std::uint64_t wanted, const Segment& segment) { return wanted < segment.start_le; });
  const Segment& segment = *std::prev(after);
  const std::uint64_t inside = offset - segment.start_le * extent_bytes_;
  const auto base = [&](const Segment::Stripe& stripe) {
    return pe_start_bytes_ + stripe.first_pe * extent_bytes_;
  };
  if (segment.stripes.size() == 1) {
    return {offset, base(segment.stripes.front()) + inside,
            segment.extent_count * extent_bytes_ - inside};
  }
  const std::uint64_t stripe_bytes = segment.stripe_size_sectors * kSectorSize;
  const std::uint64_t chunk = inside / stripe_bytes;
  const std::uint64_t inside_chunk = inside % stripe_bytes;
  const std::uint64_t row = chunk / segment.stripes.size();
  const Segment::Stripe& stripe = segment.stripes[chunk % segment.stripes.size()];
  return {offset, base(stripe) + row * stripe_bytes + inside_chunk, stripe_bytes - inside_chunk};
}

Piece SegmentMap::first_piece(std::uint64_t offset, std::uint64_t length) const {
  if (length == 0 || !range_fits(offset, length, size_bytes_)) {
    throw Error(ErrorKind::kOutOfRange,
                fmt::format("{} bytes at {} of an LV of {} bytes", length, offset, size_bytes_));
  }
  Piece piece = piece_within_segment(offset);
  while (piece.length < length) {
    const Piece next = piece_within_segment(offset + piece.length);
    if (next.lun_offset != piece.lun_offset + piece.length) break;
    piece.length += next.length;
  }
  piece.length = std::min(piece.length, length);
  return piece;
}

std::vector<Piece> SegmentMap::locate(std::uint64_t offset, std::uint64_t length) const {
  std::vector<Piece> pieces;
  if (length == 0 && offset <= size_bytes_) return pieces;
  do {
    pieces.push_back(first_piece(offset, length));
    offset += pieces.back().length;
    length -= pieces.back().length;
  } while (length > 0);
  return pieces;
}

}  // namespace lunfs::lvm
