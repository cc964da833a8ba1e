// What Lun does without data of the caller's: UNMAP, WRITE SAME, zeros.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/lun.h"
#include "iscsi/pieces.h"

namespace lunfs::iscsi {

namespace {

/// So that no single command runs for long where the array really writes the zeros.
constexpr std::uint64_t kMaxWriteSameBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kMaxUnmapBytes = std::uint64_t{1} << 30U;
/// Zeros written at the same time, in pieces.
constexpr std::size_t kZeroPiecesAtOnce = 8;

}  // namespace

Task<void> Lun::do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
  if (features_.unmap) {
    co_await unmap_runs(context, offset, length);
  } else if (features_.write_same_unmap) {
    co_await write_same(context, offset, length, true);
  } else if (!features_.geometry.can_unmap) {
    throw Error(ErrorKind::kUnsupported, "the LUN cannot unmap");
  }
}

Task<void> Lun::unmap_runs(RequestContext& context, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t block = features_.geometry.block_size_bytes;
  std::uint64_t piece = kMaxUnmapBytes;
  if (features_.max_unmap_blocks != 0) {
    piece = std::min(piece, features_.max_unmap_blocks * block);
  }
  for (std::uint64_t done = 0; done < length; done += piece) {
    const std::uint64_t part = std::min(piece, length - done);
    Unflushed::Room room;
    const bool there = unflushed_->take(room, 0);
    if (!there) co_await unflushed_->wait(context, room, 0);
    const std::array<BlockRun, 1> runs = {BlockRun{lba(offset + done), blocks(part)}};
    const std::vector<std::byte> list = unmap_parameters(runs);
    const ConstIoSpan parameters(list);
    const ScsiCommand command{.cdb = cdb::unmap(static_cast<std::uint16_t>(list.size())),
                              .out = only(parameters),
                              .due = room.due()};
    const CommandResult result = co_await runner_.run(context, command);
    if (result.not_supported()) {
      features_.unmap = false;
      log::warn("lun={}: the target refuses UNMAP: {}", features_.identity.serial,
                command_error(command.cdb, result).message());
      co_return;
    }
    // tgtd counts no byte of the list as transferred; the content is undefined now either way.
    if (!result.succeeded()) throw command_error(command.cdb, result);
    if (is_kept(context)) unflushed_->note_unmap(offset + done, part);
  }
}

Task<void> Lun::do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                                bool may_unmap) {
  // The results have names because g++ 12 loses its way in `if (co_await ...)`.
  if (may_unmap && features_.write_same_unmap) {
    const bool done = co_await write_same(context, offset, length, true);
    if (done) co_return;
  }
  if (features_.write_same) {
    const bool done = co_await write_same(context, offset, length, false);
    if (done) co_return;
  }
  co_await write_zero_buffers(context, offset, length);
}

/// False if the target does not know the command; some of the range may be zeros then.
Task<bool> Lun::write_same(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                           bool unmap) {
  const std::uint64_t block = features_.geometry.block_size_bytes;
  std::uint64_t piece = kMaxWriteSameBytes;
  if (features_.max_write_same != 0) {
    piece = std::min(piece, std::min(features_.max_write_same, piece / block) * block);
  }
  const std::vector<std::byte> zeros(block);
  const ConstIoSpan zero_block(zeros);
  for (std::uint64_t done = 0; done < length; done += piece) {
    const std::uint64_t part = std::min(piece, length - done);
    Unflushed::Room room;
    const bool there = unflushed_->take(room, 0);
    if (!there) co_await unflushed_->wait(context, room, 0);
    const ScsiCommand command{.cdb = cdb::write_same_16(lba(offset + done), blocks(part), unmap),
                              .out = only(zero_block),
                              .due = room.due()};
    const CommandResult result = co_await runner_.run(context, command);
    if (result.not_supported()) {
      (unmap ? features_.write_same_unmap : features_.write_same) = false;
      log::info("lun={}: the target refuses WRITE SAME: {}", features_.identity.serial,
                command_error(command.cdb, result).message());
      co_return false;
    }
    if (std::optional<Error> fault = fault_of(command, result)) throw *std::move(fault);
    note_acknowledged();
    if (is_kept(context)) unflushed_->note_zeroes(offset + done, part, unmap);
  }
  co_return true;
}

Task<void> Lun::write_zero_buffers(RequestContext& context, std::uint64_t offset,
                                   std::uint64_t length) {
  const std::uint64_t piece = features_.geometry.max_transfer_bytes;
  // Full size at once: it must not move while another request writes from it.
  if (zeros_.empty()) zeros_.resize(piece);
  const std::uint64_t window = piece * kZeroPiecesAtOnce;
  for (std::uint64_t begin = 0; begin < length; begin += window) {
    std::vector<Task<void>> writes;
    for_pieces(offset + begin, std::min(window, length - begin), piece,
               [&](std::uint64_t at, std::uint64_t /*done*/, std::uint64_t part) {
                 writes.push_back(write_zero_piece(context, at, part));
               });
    co_await when_all(std::move(writes));
  }
}

Task<void> Lun::write_zero_piece(RequestContext& context, std::uint64_t offset,
                                 std::uint64_t length) {
  Unflushed::Room room;
  const bool there = unflushed_->take(room, 0);
  if (!there) co_await unflushed_->wait(context, room, 0);
  const ConstIoSpan zeros = ConstIoSpan(zeros_).first(length);
  const ScsiCommand command{.cdb = cdb::write_16(lba(offset), blocks(length), false),
                            .out = only(zeros),
                            .due = room.due()};
  co_await send_write(context, offset, command);
  if (is_kept(context)) unflushed_->note_zeroes(offset, length, false);
}

}  // namespace lunfs::iscsi
