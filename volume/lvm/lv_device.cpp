#include "volume/lvm/lv_device.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/spawn.h"

namespace lunfs::lvm {

namespace {

/// A request of 1 MiB over the smallest usual stripe size, 4 KiB. Bounds the tasks and memory of a
/// request over a long range, say unmapping a whole striped LV.
constexpr std::size_t kMaxPiecesInFlight = 256;

/// Appends a run, as a part of the last one where both are the same.
void append(std::vector<Extent>& all, const Extent& next) {
  if (!all.empty() && all.back().hole == next.hole) {
    all.back().length += next.length;
  } else {
    all.push_back(next);
  }
}

}  // namespace

LvDevice::LvDevice(BlockDevice& device, std::shared_ptr<const VolumeGroup> vg,
                   const LogicalVolume& lv, bool read_only)
    : device_(device),
      vg_(std::move(vg)),
      lv_(lv),
      read_only_(read_only || !lv.writable || !lv.visible || !vg_->write_refusals.empty()) {
  if (!lv_.map) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("LV {} cannot be mapped: {}", lv_.name, lv_.unmapped_reason));
  }
}

Geometry LvDevice::geometry() const noexcept {
  Geometry shape = device_.geometry();
  shape.size_bytes = lv_.map->size_bytes();
  shape.read_only = shape.read_only || read_only_;
  return shape;
}

// The common request lies in one piece: the device's own task is handed through, so that an LV
// costs no coroutine frame and no allocation.

Task<void> LvDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const Piece piece = first_piece(offset, out.size());
  if (piece.length == out.size()) return device_.read(context, piece.lun_offset, out);
  return read_pieces(context, offset, out);
}

Task<void> LvDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                              WriteFlags flags) {
  const Piece piece = first_piece(offset, in.size());
  if (piece.length == in.size()) return device_.write(context, piece.lun_offset, in, flags);
  return write_pieces(context, offset, in, flags);
}

Task<void> LvDevice::do_flush(RequestContext& context) { return device_.flush(context); }

Task<void> LvDevice::do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
  return for_pieces(offset, length, [this, &context](const Piece& piece) {
    return device_.unmap(context, piece.lun_offset, piece.length);
  });
}

Task<void> LvDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                     std::uint64_t length, bool may_unmap) {
  return for_pieces(offset, length, [this, &context, may_unmap](const Piece& piece) {
    return device_.write_zeroes(context, piece.lun_offset, piece.length, may_unmap);
  });
}

Task<bool> LvDevice::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                          ConstIoSpan expected, ConstIoSpan in) {
  const Piece piece = first_piece(offset, in.size());
  if (piece.length != in.size()) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("LV {}: {} bytes at {} do not lie in one piece, so they cannot be "
                            "compared and written in one step",
                            lv_.name, in.size(), offset));
  }
  return device_.compare_and_write(context, piece.lun_offset, expected, in);
}

Task<std::vector<Extent>> LvDevice::do_allocated(RequestContext& context, std::uint64_t offset,
                                                 std::uint64_t length) {
  std::vector<Extent> all;
  const std::uint64_t end = offset + length;
  while (offset < end) {
    const Piece piece = first_piece(offset, end - offset);
    const std::vector<Extent> runs =
        co_await device_.allocated(context, piece.lun_offset, piece.length);
    for (const Extent& run : runs) {
      append(all, {piece.lv_offset + (run.offset - piece.lun_offset), run.length, run.hole});
    }
    offset += piece.length;
  }
  co_return all;
}

Task<void> LvDevice::read_pieces(RequestContext& context, std::uint64_t offset, IoSpan out) {
  return for_pieces(offset, out.size(), [this, &context, offset, out](const Piece& piece) {
    return device_.read(context, piece.lun_offset,
                        out.subspan(piece.lv_offset - offset, piece.length));
  });
}

Task<void> LvDevice::write_pieces(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                  WriteFlags flags) {
  return for_pieces(offset, in.size(), [this, &context, offset, in, flags](const Piece& piece) {
    return device_.write(context, piece.lun_offset,
                         in.subspan(piece.lv_offset - offset, piece.length), flags);
  });
}

template <typename Start>
Task<void> LvDevice::for_pieces(std::uint64_t offset, std::uint64_t length, Start start) {
  const std::uint64_t end = offset + length;
  while (offset < end) {
    std::vector<Task<void>> tasks;
    while (offset < end && tasks.size() < kMaxPiecesInFlight) {
      const Piece piece = first_piece(offset, end - offset);
      tasks.push_back(start(piece));
      offset += piece.length;
    }
    co_await when_all(std::move(tasks));
  }
}

}  // namespace lunfs::lvm
