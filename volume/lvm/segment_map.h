#pragma once

#include <cstdint>
#include <vector>

namespace lunfs::lvm {

/// One run of an LV's extents on the PV. Source: docs/formats/lvm-metadata.md, segments.
struct Segment {
  struct Stripe {
    std::uint32_t first_pe = 0;  ///< first physical extent of this stripe

    bool operator==(const Stripe&) const = default;
  };
  std::uint32_t start_le = 0;             ///< first logical extent
  std::uint32_t extent_count = 0;         ///< logical extents, over all stripes
  std::uint32_t stripe_size_sectors = 0;  ///< sectors of 512 bytes; 0 with one stripe
  std::vector<Stripe> stripes;            ///< one = linear
};

/// A run of LV bytes that lies in one piece on the LUN. All bytes.
struct Piece {
  std::uint64_t lv_offset = 0;
  std::uint64_t lun_offset = 0;
  std::uint64_t length = 0;

  bool operator==(const Piece&) const = default;
};

/// Where an LV's bytes lie on the LUN. Pure and immutable; thread-safe. Does no I/O.
class SegmentMap {
 public:
  /// @param pe_start_bytes  LUN offset of physical extent 0
  /// @param extent_bytes    size of an extent
  /// @param segments        sorted by start_le, from 0, without a gap, stripes that divide them
  ///                        evenly; else Error kCorrupt, or kOutOfRange for an address beyond 64
  ///                        bits
  SegmentMap(std::uint64_t pe_start_bytes, std::uint64_t extent_bytes,
             std::vector<Segment> segments);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }

  /// Whether each byte that `shorter` maps lies at the same place here: the same map, or that of an
  /// LV that has grown. False for what only looks different, say a segment in two parts.
  [[nodiscard]] bool starts_with(const SegmentMap& shorter) const noexcept;

  /// Maps [offset, offset + length) of the LV to pieces in LV order that cover it exactly;
  /// neighbours that touch on the LUN are one piece.
  /// Errors: kOutOfRange if the range ends beyond size_bytes(). length 0 gives no pieces.
  [[nodiscard]] std::vector<Piece> locate(std::uint64_t offset, std::uint64_t length) const;

  /// The piece at `offset`, at most `length` long: the way without an allocation for a request that
  /// lies in one piece. Same errors; length > 0.
  [[nodiscard]] Piece first_piece(std::uint64_t offset, std::uint64_t length) const;

 private:
  /// The piece from `offset` to the end of its segment or stripe chunk.
  [[nodiscard]] Piece piece_within_segment(std::uint64_t offset) const noexcept;

  std::uint64_t pe_start_bytes_;
  std::uint64_t extent_bytes_;
  std::vector<Segment> segments_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace lunfs::lvm
