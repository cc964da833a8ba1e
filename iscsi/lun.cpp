#include "iscsi/lun.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/log.h"
#include "base/spawn.h"

namespace lunfs::iscsi {

namespace {

/// So that no single command runs for long where the array really writes the zeros.
constexpr std::uint64_t kMaxWriteSameBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kMaxUnmapBytes = std::uint64_t{1} << 30U;
/// Zeros written at the same time, in pieces.
constexpr std::size_t kZeroPiecesAtOnce = 8;
constexpr std::uint32_t kLbaStatusBytes = 8 + 16 * 64;

/// Calls `work` for [offset, offset + length) in pieces of at most `piece` bytes.
template <typename Work>
void for_pieces(std::uint64_t offset, std::uint64_t length, std::uint64_t piece, Work work) {
  for (std::uint64_t done = 0; done < length; done += piece) {
    work(offset + done, done, std::min(piece, length - done));
  }
}

/// Appends a run, as one with the last where they are alike.
void append(std::vector<Extent>& extents, std::uint64_t length, bool hole, std::uint64_t offset) {
  if (!extents.empty() && extents.back().hole == hole) {
    extents.back().length += length;
  } else {
    extents.push_back({.offset = offset, .length = length, .hole = hole});
  }
}

LunFeatures with_whole_blocks(LunFeatures features) {
  const std::uint64_t block = features.geometry.block_size_bytes;
  std::uint64_t& longest = features.geometry.max_transfer_bytes;
  longest = std::max(block, longest / block * block);
  return features;
}

}  // namespace

Lun::Lun(CommandRunner& runner, LunFeatures features)
    : runner_(runner),
      features_(with_whole_blocks(std::move(features))),
      joiner_(runner.reactor(), features_.geometry.max_transfer_bytes,
              [this](const JoinedTransfer& run) { return move_joined(run); }) {}

std::uint64_t Lun::lba(std::uint64_t offset) const noexcept {
  return offset / features_.geometry.block_size_bytes;
}

std::uint32_t Lun::blocks(std::uint64_t length) const {
  return checked_cast<std::uint32_t>(length / features_.geometry.block_size_bytes,
                                     "blocks of a SCSI command");
}

Task<void> Lun::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const bool single = out.size() <= features_.geometry.max_transfer_bytes;
  return single ? read_piece(context, offset, out) : read_pieces(context, offset, out);
}

Task<void> Lun::read_pieces(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const std::uint64_t piece = features_.geometry.max_transfer_bytes;
  std::vector<Task<void>> reads;
  for_pieces(offset, out.size(), piece,
             [&](std::uint64_t at, std::uint64_t done, std::uint64_t length) {
               reads.push_back(read_piece(context, at, out.subspan(done, length)));
             });
  co_await when_all(std::move(reads));
}

/// Waits for its place among the commands as long as it takes: its members' callers may have given
/// up, but not all of them for certain.
Task<bool> Lun::send_joined(const JoinedTransfer& run) {
  RequestContext context;
  const bool write = !run.out.empty();
  const ScsiCommand command{.cdb = write ? cdb::write_16(lba(run.offset), blocks(run.length), false)
                                         : cdb::read_16(lba(run.offset), blocks(run.length)),
                            .in = run.in,
                            .out = run.out,
                            .once = true};
  const CommandResult result = co_await runner_.run(context, command);
  if (fault_of(command, result)) co_return false;
  if (write) note_write();
  co_return true;
}

/// The session has ended: the parts are sent again one by one, each under its caller's context.
Task<bool> Lun::move_joined(const JoinedTransfer& run) {
  try {
    co_return co_await send_joined(run);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnreachable && error.kind() != ErrorKind::kOutcomeUnknown) {
      throw;
    }
  }
  co_return false;
}

Task<void> Lun::read_piece(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const auto since = RequestContext::Clock::now();
  if (out.size() <= TransferJoiner::kMaxPartBytes) {
    context.check();
    const bool moved = co_await joiner_.join({.offset = offset, .in = out});
    if (moved) co_return;
  }
  const ScsiCommand command{
      .cdb = cdb::read_16(lba(offset), blocks(out.size())), .in = only(out), .since = since};
  const CommandResult result = co_await runner_.run(context, command);
  if (std::optional<Error> fault = fault_of(command, result)) {
    fault->add_context(fmt::format("reading {} bytes at {}", out.size(), offset));
    throw *std::move(fault);
  }
}

Task<void> Lun::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                         WriteFlags flags) {
  if (runner_.take_mode_changed()) features_.write_cache = true;
  if (flags.fua && features_.write_cache) return write_through(context, offset, in, flags);
  flags.fua = false;  // what is acknowledged is durable
  return write_all(context, offset, in, flags);
}

Task<void> Lun::write_through(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                              WriteFlags flags) {
  if (features_.fua) {
    co_await write_all(context, offset, in, flags);
    co_return;
  }
  flags.fua = false;
  co_await write_all(context, offset, in, flags);
  co_await flush(context);
}

Task<void> Lun::write_all(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                          WriteFlags flags) {
  const bool single = in.size() <= features_.geometry.max_transfer_bytes;
  return single ? write_piece(context, offset, in, flags)
                : write_pieces(context, offset, in, flags);
}

Task<void> Lun::write_pieces(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                             WriteFlags flags) {
  const std::uint64_t piece = features_.geometry.max_transfer_bytes;
  std::vector<Task<void>> writes;
  for_pieces(offset, in.size(), piece,
             [&](std::uint64_t at, std::uint64_t done, std::uint64_t length) {
               writes.push_back(write_piece(context, at, in.subspan(done, length), flags));
             });
  co_await when_all(std::move(writes));
}

Task<void> Lun::write_piece(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                            WriteFlags flags) {
  const bool plain = !flags.fua && flags.resend == Resend::kAllowed;
  const auto since = RequestContext::Clock::now();
  if (plain && in.size() <= TransferJoiner::kMaxPartBytes) {
    context.check();
    const bool moved = co_await joiner_.join({.offset = offset, .out = in});
    if (moved) co_return;
    // It may have been sent as a part of a longer one.
    if (context.cancelled()) {
      throw Error(ErrorKind::kOutcomeUnknown,
                  fmt::format("writing {} bytes at {}: the caller gave up", in.size(), offset));
    }
  }
  const ScsiCommand command{.cdb = cdb::write_16(lba(offset), blocks(in.size()), flags.fua),
                            .out = only(in),
                            .resend = flags.resend,
                            .since = since};
  const CommandResult result = co_await runner_.run(context, command);
  if (std::optional<Error> fault = fault_of(command, result)) {
    fault->add_context(fmt::format("writing {} bytes at {}", in.size(), offset));
    throw *std::move(fault);
  }
  note_write();
}

/// Notes an acknowledged write; what happened to the cache before it was not at stake.
void Lun::note_write() noexcept {
  if (acknowledged_ == durable_) static_cast<void>(runner_.take_power_on());
  ++acknowledged_;
}

void Lun::note_new_session(const LunFeatures& found) {
  if (features_.write_cache && acknowledged_ != durable_) {
    ++losses_;
    log::error(
        "lun={}: {} acknowledged writes were not flushed before the session was lost; if the "
        "target was restarted they may be lost: the next fsync fails",
        features_.identity.serial, acknowledged_ - durable_);
    durable_ = acknowledged_;  // as far as they can be: told by losses_ from now on
  }
  features_.write_cache = found.write_cache;
}

/// Acknowledged writes that the LUN has lost can never be made durable any more: from then on every
/// flush fails.
void Lun::check_nothing_lost() {
  if (lost_.empty() && !runner_.deferred_error().empty()) {
    lost_ = "a write that was acknowledged has failed: " + runner_.deferred_error();
  }
  if (lost_.empty() && runner_.take_power_on() && acknowledged_ != durable_ &&
      features_.write_cache) {
    lost_ = "the LUN was powered on anew while acknowledged writes were in its cache";
  }
  if (lost_.empty() && losses_told_ != losses_) {
    losses_told_ = losses_;
    throw Error(ErrorKind::kIo,
                "writes that were acknowledged before the session was lost were never flushed and "
                "may be lost")
        .because(
            "a target that was restarted has lost its cache; that cannot be told from a "
            "network that was down for a while")
        .advise("write again what was written since the last fsync that succeeded");
  }
  if (lost_.empty()) return;
  throw Error(ErrorKind::kIo, lost_)
      .because("the storage lost its cache or could not write it")
      .advise("mount again and check what was written last");
}

Task<void> Lun::do_flush(RequestContext& context) {
  if (runner_.take_mode_changed()) features_.write_cache = true;
  if (features_.geometry.read_only || !features_.write_cache) {
    context.check();
    check_nothing_lost();
    co_return;
  }
  constexpr std::uint8_t kInvalidOpcode = 0x20;
  const std::uint64_t covered = acknowledged_;
  const ScsiCommand command{.cdb = cdb::synchronize_cache_10()};
  const CommandResult result = co_await runner_.run(context, command);
  check_nothing_lost();
  if (result.not_supported() && result.sense->asc == kInvalidOpcode) {
    features_.write_cache = false;
    log::warn(
        "lun={}: the target does not know SYNCHRONIZE CACHE; writes are taken as durable "
        "when it acknowledges them",
        features_.identity.serial);
    co_return;
  }
  if (std::optional<Error> fault = fault_of(command, result)) throw *std::move(fault);
  durable_ = std::max(durable_, covered);
}

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
    const std::array<BlockRun, 1> runs = {BlockRun{lba(offset + done), blocks(part)}};
    const std::vector<std::byte> list = unmap_parameters(runs);
    const ConstIoSpan parameters(list);
    const ScsiCommand command{.cdb = cdb::unmap(static_cast<std::uint16_t>(list.size())),
                              .out = only(parameters)};
    const CommandResult result = co_await runner_.run(context, command);
    if (result.not_supported()) {
      features_.unmap = false;
      log::warn("lun={}: the target refuses UNMAP: {}", features_.identity.serial,
                command_error(command.cdb, result).message());
      co_return;
    }
    // tgtd counts no byte of the list as transferred; the content is undefined now either way.
    if (!result.succeeded()) throw command_error(command.cdb, result);
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
    const ScsiCommand command{.cdb = cdb::write_same_16(lba(offset + done), blocks(part), unmap),
                              .out = only(zero_block)};
    const CommandResult result = co_await runner_.run(context, command);
    if (result.not_supported()) {
      (unmap ? features_.write_same_unmap : features_.write_same) = false;
      log::info("lun={}: the target refuses WRITE SAME: {}", features_.identity.serial,
                command_error(command.cdb, result).message());
      co_return false;
    }
    if (std::optional<Error> fault = fault_of(command, result)) throw *std::move(fault);
    note_write();
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
    for_pieces(
        offset + begin, std::min(window, length - begin), piece,
        [&](std::uint64_t at, std::uint64_t /*done*/, std::uint64_t part) {
          writes.push_back(write_piece(context, at, ConstIoSpan(zeros_).first(part), WriteFlags{}));
        });
    co_await when_all(std::move(writes));
  }
}

Task<bool> Lun::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                     ConstIoSpan expected, ConstIoSpan in) {
  const std::uint64_t limit =
      std::uint64_t{features_.max_compare_and_write} * features_.geometry.block_size_bytes;
  if (in.empty()) co_return true;
  if (in.size() > limit) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("compare and write of {} bytes, the LUN takes {}", in.size(), limit));
  }
  const auto count = static_cast<std::uint8_t>(blocks(in.size()));
  const std::array<ConstIoSpan, 2> buffers = {expected, in};
  const ScsiCommand command{
      .cdb = cdb::compare_and_write(lba(offset), count), .out = buffers, .resend = Resend::kNever};
  const CommandResult result = co_await runner_.run(context, command);
  const bool differs = result.status == ScsiStatus::kCheckCondition && result.sense &&
                       !result.sense->deferred && result.sense->key == SenseKey::kMiscompare;
  if (differs) co_return false;
  // tgtd names a length for it in VPD page B0 and does not know the command.
  if (result.not_supported()) {
    features_.geometry.can_compare_and_write = false;
    features_.max_compare_and_write = 0;
  }
  if (std::optional<Error> fault = fault_of(command, result)) throw *std::move(fault);
  note_write();
  co_return true;
}

Task<std::vector<Extent>> Lun::do_allocated(RequestContext& context, std::uint64_t offset,
                                            std::uint64_t length) {
  const std::uint64_t block = features_.geometry.block_size_bytes;
  const std::uint64_t end = offset + length;
  std::vector<Extent> extents;
  while (offset < end) {
    std::vector<LbaState> states;
    if (features_.lba_status) states = co_await lba_states(context, offset);
    // No word, or none that makes sense: what is not known to be a hole counts as data.
    if (states.empty()) states.push_back({(end - offset + block - 1) / block, false});
    for (const LbaState& state : states) {
      if (offset == end) break;
      // The question may begin inside a block.
      const std::uint64_t left_in_block = block - offset % block;
      const std::uint64_t rest = end - offset;
      const std::uint64_t more = state.blocks - 1;
      const std::uint64_t part =
          more > rest / block ? rest : std::min(rest, left_in_block + more * block);
      append(extents, part, state.deallocated, offset);
      offset += part;
    }
  }
  co_return extents;
}

Task<std::vector<LbaState>> Lun::lba_states(RequestContext& context, std::uint64_t offset) {
  const auto bytes = co_await runner_.ask(
      context, cdb::get_lba_status(lba(offset), kLbaStatusBytes), kLbaStatusBytes);
  std::vector<LbaState> states;
  if (bytes) states = parse_lba_status(*bytes, lba(offset));
  if (states.empty()) features_.lba_status = false;
  co_return states;
}

}  // namespace lunfs::iscsi
