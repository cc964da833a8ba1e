#include "base/block_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace lunfs {

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

Task<void> nothing() { co_return; }

Task<bool> trivially_true() { co_return true; }

void check(const Geometry& shape, std::uint64_t offset, std::uint64_t length) {
  if (!range_fits(offset, length, shape.size_bytes)) {
    throw Error(ErrorKind::kOutOfRange, fmt::format("{} bytes at {} reach beyond the end at {}",
                                                    length, offset, shape.size_bytes));
  }
  if (offset % shape.block_size_bytes != 0 || length % shape.block_size_bytes != 0) {
    throw Error(ErrorKind::kInternal, fmt::format("{} bytes at {} are not whole blocks of {}",
                                                  length, offset, shape.block_size_bytes));
  }
}

}  // namespace

void BlockDevice::check_range(std::uint64_t offset, std::uint64_t length) const {
  check(geometry(), offset, length);
}

void BlockDevice::check_change(std::uint64_t offset, std::uint64_t length) const {
  const Geometry shape = geometry();
  check(shape, offset, length);
  if (shape.read_only) throw Error(ErrorKind::kReadOnly, "the device is read-only");
}

Task<void> BlockDevice::read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  check_range(offset, out.size());
  return out.empty() ? nothing() : do_read(context, offset, out);
}

Task<void> BlockDevice::write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                              WriteFlags flags) {
  check_change(offset, in.size());
  return in.empty() ? nothing() : do_write(context, offset, in, flags);
}

Task<void> BlockDevice::flush(RequestContext& context) { return do_flush(context); }

Task<void> BlockDevice::unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
  check_change(offset, length);
  return length == 0 ? nothing() : do_unmap(context, offset, length);
}

Task<void> BlockDevice::write_zeroes(RequestContext& context, std::uint64_t offset,
                                     std::uint64_t length, bool may_unmap) {
  check_change(offset, length);
  return length == 0 ? nothing() : do_write_zeroes(context, offset, length, may_unmap);
}

Task<bool> BlockDevice::compare_and_write(RequestContext& context, std::uint64_t offset,
                                          ConstIoSpan expected, ConstIoSpan in) {
  check_change(offset, in.size());
  if (expected.size() != in.size()) {
    throw Error(ErrorKind::kInternal, "compare and write takes two buffers of the same length");
  }
  return in.empty() ? trivially_true() : do_compare_and_write(context, offset, expected, in);
}

Task<void> BlockDevice::copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                             std::uint64_t length) {
  check_range(from, length);
  check_change(to, length);
  if (from < to + length && to < from + length && length != 0) {
    throw Error(
        ErrorKind::kInternal,
        fmt::format("copying {} bytes from {} to {}: the ranges overlap", length, from, to));
  }
  return length == 0 ? nothing() : do_copy(context, from, to, length);
}

Task<std::vector<Extent>> BlockDevice::allocated(RequestContext& context, std::uint64_t offset,
                                                 std::uint64_t length) {
  if (!range_fits(offset, length, geometry().size_bytes)) check_range(offset, length);
  return do_allocated(context, offset, length);
}

Task<void> BlockDevice::do_unmap(RequestContext& /*context*/, std::uint64_t /*offset*/,
                                 std::uint64_t /*length*/) {
  throw Error(ErrorKind::kUnsupported, "the device cannot unmap");
}

Task<void> BlockDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                        std::uint64_t length, bool /*may_unmap*/) {
  const std::vector<std::byte> zeros(std::min<std::uint64_t>(length, kPieceBytes));
  while (length > 0) {
    const ConstIoSpan piece(zeros.data(), std::min<std::uint64_t>(length, zeros.size()));
    co_await write(context, offset, piece);
    offset += piece.size();
    length -= piece.size();
  }
}

Task<bool> BlockDevice::do_compare_and_write(RequestContext& /*context*/, std::uint64_t /*offset*/,
                                             ConstIoSpan /*expected*/, ConstIoSpan /*in*/) {
  throw Error(ErrorKind::kUnsupported, "the device has no compare and write");
}

Task<void> BlockDevice::do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                                std::uint64_t length) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(length, kPieceBytes));
  while (length > 0) {
    const IoSpan piece(buffer.data(), std::min<std::uint64_t>(length, buffer.size()));
    co_await read(context, from, piece);
    co_await write(context, to, piece);
    from += piece.size();
    to += piece.size();
    length -= piece.size();
  }
}

Task<std::vector<Extent>> BlockDevice::do_allocated(RequestContext& /*context*/,
                                                    std::uint64_t offset, std::uint64_t length) {
  std::vector<Extent> all;
  if (length > 0) all.push_back({.offset = offset, .length = length, .hole = false});
  co_return all;
}

}  // namespace lunfs
