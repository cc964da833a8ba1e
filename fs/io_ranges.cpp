// The requests of IoOperations about ranges: zeroing, holes, copies.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/checked.h"
#include "base/log.h"
#include "fs/io_request.h"
#include "fs/seek.h"

namespace lunfs::fs {

namespace {

constexpr std::uint64_t kLargestCopy = 64U << 20;

}  // namespace

void IoOperations::fallocate(Reply reply, std::uint64_t handle, int mode, std::uint64_t offset,
                             std::uint64_t length) {
  if (!files_.at(handle).node->has_bytes()) return reply.error(EOPNOTSUPP);
  auto request = begin(Operation::kZero, std::move(reply));
  Task<void> task = do_fallocate(*request, handle, mode, {.offset = offset, .length = length});
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_fallocate(Request& request, std::uint64_t handle, int mode,
                                      Range range) {
  OpenFile& file = files_.at(handle);
  const std::uint64_t end = device_of(request.context, file)->geometry().size_bytes;
  const bool keep_size = (mode & FALLOC_FL_KEEP_SIZE) != 0;
  const bool fits = range_fits(range.offset, range.length, end);
  const int what = mode & ~FALLOC_FL_KEEP_SIZE;
  // With no mode: every extent of a mapped LV is there already.
  const bool nothing_to_do = what == 0 && fits;
  const bool possible = (what == FALLOC_FL_PUNCH_HOLE && keep_size) ||
                        (what == FALLOC_FL_ZERO_RANGE && (fits || keep_size));
  if (nothing_to_do || !possible) {
    request.reply.error(nothing_to_do ? 0 : EOPNOTSUPP);
    co_return;
  }
  range.length = range.offset < end ? std::min(range.length, end - range.offset) : 0;
  co_await zero(request, file, range, what == FALLOC_FL_PUNCH_HOLE);
  request.bytes = range.length;
  request.reply.ok();
}

Task<void> IoOperations::zero(Request& request, OpenFile& file, Range range, bool may_unmap) {
  const WriteLedger::Entry counted(ledger_of(file), reactor_);
  co_await before_write(request.context, file);
  Change change(file, reactor_, range.offset, range.length);
  co_await change.wait(request.context);
  if (range.length == 0) co_return;
  const Device device = device_of(request.context, file);
  co_await device->write_zeroes(request.context, range.offset, range.length, may_unmap);
  request.context.check_revocation();
  medium_.durability.wrote(file.node->name(), range.length);
  medium_.space.accepted();
}

void IoOperations::seek(Reply reply, std::uint64_t handle, std::uint64_t offset, int whence) {
  const OpenFile& file = files_.at(handle);
  if (whence != SEEK_HOLE && whence != SEEK_DATA) return reply.error(EINVAL);
  if (!file.node->has_bytes()) {
    const std::uint64_t end = file.text->size();
    return offset >= end ? reply.error(ENXIO) : reply.offset(whence == SEEK_DATA ? offset : end);
  }
  auto request = begin(Operation::kSeek, std::move(reply));
  Task<void> task = do_seek(*request, handle, offset, whence == SEEK_HOLE);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_seek(Request& request, std::uint64_t handle, std::uint64_t offset,
                                 bool hole) {
  const Device device = device_of(request.context, files_.at(handle));
  const std::uint64_t end = device->geometry().size_bytes;
  std::optional<std::uint64_t> found;
  if (offset < end) found = co_await find_run(request.context, *device, offset, hole);
  if (found) {
    request.reply.offset(*found);
  } else if (hole && offset < end) {
    request.reply.offset(end);  // the end of a file counts as a hole
  } else {
    request.reply.error(ENXIO);
  }
}

void IoOperations::copy(Reply reply, CopyRange range) {
  auto request = begin(Operation::kCopy, std::move(reply));
  Task<void> task = do_copy(*request, range);
  run(std::move(request), std::move(task));
}

Task<void> IoOperations::do_copy(Request& request, CopyRange range) {
  OpenFile& source = files_.at(range.from_handle);
  OpenFile& sink = files_.at(range.to_handle);
  if (!source.node->has_bytes() || !sink.node->has_bytes()) {
    throw Error(ErrorKind::kUnsupported, "only disks are copied inside the daemon");
  }
  const std::uint64_t source_end = device_of(request.context, source)->geometry().size_bytes;
  const std::uint64_t sink_end = device_of(request.context, sink)->geometry().size_bytes;
  std::uint64_t length = std::min(range.length, kLargestCopy);
  length = range.from < source_end ? std::min(length, source_end - range.from) : 0;
  if (length > 0 && range.to >= sink_end) {
    request.reply.error(ENOSPC);
    co_return;
  }
  length = std::min(length, sink_end - std::min(range.to, sink_end));
  {
    const WriteLedger::Entry counted(ledger_of(sink), reactor_);
    co_await before_write(request.context, sink);
    Change change(sink, reactor_, range.to, length);
    co_await change.wait(request.context);
    const ByteBudget::Share share = co_await budget_.take(request.context, kLargestRequest);
    range.length = length;
    co_await copy_pieces(request, source, sink, range);
  }
  request.reply.written(request.bytes);
}

/// Counts what was copied in request.bytes; less than all of it after an error, none throws it.
Task<void> IoOperations::copy_pieces(Request& request, const OpenFile& source, const OpenFile& sink,
                                     CopyRange range) {
  RequestContext reading = request.context;
  const Device from = device_of(reading, source);
  const Device to = device_of(request.context, sink);
  SlabPool::Slab slab = slabs_.take();
  std::uint64_t& done = request.bytes;
  try {
    while (done < range.length) {
      const auto piece = slab.first(std::min<std::uint64_t>(range.length - done, kLargestRequest));
      co_await from->read(reading, range.from + done, piece);
      reading.check_revocation();
      co_await to->write(request.context, range.to + done, piece);
      request.context.check_revocation();
      medium_.space.accepted();
      medium_.durability.wrote(sink.node->name(), piece.size());
      done += piece.size();
    }
  } catch (const Error& error) {
    // A short copy, so that the kernel drops its pages of what has changed.
    if (done == 0) throw;
    log::warn("copy ended after {} of {} bytes: {}", done, range.length, error.message());
  }
}

}  // namespace lunfs::fs
