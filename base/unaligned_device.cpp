#include "base/unaligned_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/spawn.h"

namespace lunfs {

namespace {

std::uint64_t checked_block_size(const BlockDevice& device) {
  constexpr std::uint32_t kLargest = 64 * 1024;
  const std::uint32_t block = device.geometry().block_size_bytes;
  if (!std::has_single_bit(block) || block > kLargest) {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("blocks of {} bytes; expected a power of two up to {}", block, kLargest));
  }
  return block;
}

Task<void> nothing() { co_return; }

std::shared_ptr<RangeLock::Line> line_of_one_thread() {
  return std::make_shared<RangeLock::Line>(RangeLock::Line::Threads::kOne);
}

}  // namespace

UnalignedDevice::UnalignedDevice(Reactor& reactor, std::unique_ptr<BlockDevice> inner)
    : owned_(std::move(inner)),
      inner_(*owned_),
      block_(checked_block_size(inner_)),
      reactor_(reactor),
      writes_(line_of_one_thread()) {}

UnalignedDevice::UnalignedDevice(Reactor& reactor, BlockDevice& inner,
                                 std::shared_ptr<RangeLock::Line> writes)
    : inner_(inner),
      block_(checked_block_size(inner_)),
      reactor_(reactor),
      writes_(writes ? std::move(writes) : line_of_one_thread()) {}

Geometry UnalignedDevice::geometry() const noexcept {
  Geometry geometry = inner_.geometry();
  // The end of a last block that is not whole could be read but never written.
  geometry.size_bytes = align_down(geometry.size_bytes, block_);
  geometry.block_size_bytes = 1;
  return geometry;
}

bool UnalignedDevice::whole_blocks(std::uint64_t offset, std::uint64_t length) const noexcept {
  return is_aligned(offset | length, block_);
}

UnalignedDevice::Range UnalignedDevice::aligned_out(Range range) const noexcept {
  // Cannot overflow: the end lies inside the device, whose size is whole blocks.
  return {align_down(range.begin, block_), align_down(range.end + block_ - 1, block_)};
}

UnalignedDevice::Parts UnalignedDevice::parts_of(Range range) const noexcept {
  const Range middle{align_down(range.begin + block_ - 1, block_), align_down(range.end, block_)};
  if (middle.begin >= middle.end) return {.head = range, .middle = {}, .tail = {}};
  return {.head = {range.begin, middle.begin}, .middle = middle, .tail = {middle.end, range.end}};
}

template <typename T>
Task<T> UnalignedDevice::plainly(RequestContext& context, Range range, Task<T> inner) {
  RangeLock::Entry entry(*writes_, reactor_, RangeLock::Mode::kShared, range.begin, range.length());
  if (!entry.granted()) co_await entry.wait(context);
  co_return co_await inner;
}

// Reads take no lock: what a read-modify-write does to the neighbours' bytes is to write them as
// they are, so a read that meets it sees the same bytes before and after.
Task<void> UnalignedDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  if (whole_blocks(offset, out.size())) return inner_.read(context, offset, out);
  return read_in_parts(context, offset, out);
}

Task<void> UnalignedDevice::read_in_parts(RequestContext& context, std::uint64_t offset,
                                          IoSpan out) {
  const Parts parts = parts_of({offset, offset + out.size()});
  std::vector<Task<void>> tasks;
  if (!parts.head.empty()) {
    tasks.push_back(read_edge(context, parts.head, out.first(parts.head.length())));
  }
  if (!parts.middle.empty()) {
    const IoSpan middle = out.subspan(parts.head.length(), parts.middle.length());
    tasks.push_back(inner_.read(context, parts.middle.begin, middle));
  }
  if (!parts.tail.empty()) {
    tasks.push_back(read_edge(context, parts.tail, out.last(parts.tail.length())));
  }
  co_await when_all(std::move(tasks));
}

Task<void> UnalignedDevice::read_edge(RequestContext& context, Range range, IoSpan out) {
  const Range blocks = aligned_out(range);
  std::vector<std::byte> buffer(blocks.length());
  co_await inner_.read(context, blocks.begin, buffer);
  std::copy_n(buffer.begin() + static_cast<std::ptrdiff_t>(range.begin - blocks.begin), out.size(),
              out.begin());
}

Task<void> UnalignedDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                     WriteFlags flags) {
  if (!whole_blocks(offset, in.size())) return write_in_parts(context, offset, in, flags);
  return plainly(context, {offset, offset + in.size()}, inner_.write(context, offset, in, flags));
}

Task<void> UnalignedDevice::write_in_parts(RequestContext& context, std::uint64_t offset,
                                           ConstIoSpan in, WriteFlags flags) {
  const Range blocks = aligned_out({offset, offset + in.size()});
  RangeLock::Entry entry(*writes_, reactor_, RangeLock::Mode::kExclusive, blocks.begin,
                         blocks.length());
  if (!entry.granted()) co_await entry.wait(context);

  const Parts parts = parts_of({offset, offset + in.size()});
  std::vector<Task<void>> tasks;
  if (!parts.head.empty()) {
    tasks.push_back(patch_edge(context, parts.head, in.first(parts.head.length()), flags));
  }
  if (!parts.middle.empty()) {
    const ConstIoSpan middle = in.subspan(parts.head.length(), parts.middle.length());
    tasks.push_back(inner_.write(context, parts.middle.begin, middle, flags));
  }
  if (!parts.tail.empty()) {
    tasks.push_back(patch_edge(context, parts.tail, in.last(parts.tail.length()), flags));
  }
  co_await when_all(std::move(tasks));
}

Task<void> UnalignedDevice::patch_edge(RequestContext& context, Range range, ConstIoSpan in,
                                       WriteFlags flags) {
  const Range blocks = aligned_out(range);
  std::vector<std::byte> buffer(blocks.length());
  co_await inner_.read(context, blocks.begin, buffer);
  std::copy(in.begin(), in.end(),
            buffer.begin() + static_cast<std::ptrdiff_t>(range.begin - blocks.begin));
  co_await inner_.write(context, blocks.begin, buffer, flags);
}

Task<void> UnalignedDevice::do_flush(RequestContext& context) { return inner_.flush(context); }

Task<void> UnalignedDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                     std::uint64_t length) {
  const Range whole{align_down(offset + block_ - 1, block_), align_down(offset + length, block_)};
  if (whole.begin < whole.end) {
    return plainly(context, whole, inner_.unmap(context, whole.begin, whole.length()));
  }
  if (!geometry().can_unmap) throw Error(ErrorKind::kUnsupported, "the device cannot unmap");
  return nothing();
}

Task<void> UnalignedDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                            std::uint64_t length, bool may_unmap) {
  const Range range{offset, offset + length};
  if (!whole_blocks(offset, length)) return zero_in_parts(context, range, may_unmap);
  return plainly(context, range, inner_.write_zeroes(context, offset, length, may_unmap));
}

Task<void> UnalignedDevice::zero_in_parts(RequestContext& context, Range range, bool may_unmap) {
  const Range blocks = aligned_out(range);
  RangeLock::Entry entry(*writes_, reactor_, RangeLock::Mode::kExclusive, blocks.begin,
                         blocks.length());
  if (!entry.granted()) co_await entry.wait(context);

  const Parts parts = parts_of(range);
  const std::vector<std::byte> zeros(std::max(parts.head.length(), parts.tail.length()));
  const ConstIoSpan all_zeros(zeros);
  std::vector<Task<void>> tasks;
  if (!parts.head.empty()) {
    tasks.push_back(patch_edge(context, parts.head, all_zeros.first(parts.head.length()), {}));
  }
  if (!parts.middle.empty()) {
    tasks.push_back(inner_.write_zeroes(context, parts.middle.begin, parts.middle.length(),  //
                                        may_unmap));
  }
  if (!parts.tail.empty()) {
    tasks.push_back(patch_edge(context, parts.tail, all_zeros.first(parts.tail.length()), {}));
  }
  co_await when_all(std::move(tasks));
}

Task<bool> UnalignedDevice::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                                 ConstIoSpan expected, ConstIoSpan in) {
  if (!whole_blocks(offset, in.size())) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("compare and write of {} bytes at {}: not whole blocks of {}",
                            in.size(), offset, block_));
  }
  return plainly(context, {offset, offset + in.size()},
                 inner_.compare_and_write(context, offset, expected, in));
}

Task<void> UnalignedDevice::do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                                    std::uint64_t length) {
  if (!whole_blocks(from | to, length)) return BlockDevice::do_copy(context, from, to, length);
  return plainly(context, {to, to + length}, inner_.copy(context, from, to, length));
}

Task<std::vector<Extent>> UnalignedDevice::do_allocated(RequestContext& context,
                                                        std::uint64_t offset,
                                                        std::uint64_t length) {
  const std::uint64_t end = offset + length;
  const Range blocks = aligned_out({offset, end});
  std::vector<Extent> extents = co_await inner_.allocated(context, blocks.begin, blocks.length());
  std::vector<Extent> clipped;
  for (const Extent& extent : extents) {
    const std::uint64_t from = std::max(extent.offset, offset);
    const std::uint64_t to = std::min(extent.offset + extent.length, end);
    if (from < to) clipped.push_back({.offset = from, .length = to - from, .hole = extent.hole});
  }
  co_return clipped;
}

}  // namespace lunfs
