#include "iscsi/lun.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/log.h"
#include "base/spawn.h"
#include "iscsi/pieces.h"

namespace lunfs::iscsi {

namespace {

constexpr std::uint32_t kLbaStatusBytes = 8 + 16 * 64;

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

Lun::Lun(CommandRunner& runner, LunFeatures features, std::size_t journal_bytes,
         std::chrono::seconds patience)
    : runner_(runner),
      features_(with_whole_blocks(std::move(features))),
      joiner_(runner.reactor(), features_.geometry.max_transfer_bytes,
              [this](const JoinedTransfer& run) { return move_joined(run); }),
      unflushed_(std::make_shared<Unflushed>(runner.reactor(), features_.identity.serial,
                                             journal_bytes, patience, features_.write_cache)),
      background_ended_(runner.reactor()) {
  unflushed_->set_start_flush(
      [this] { spawn(flush_in_background(), [](const std::exception_ptr& /*it has none*/) {}); });
}

Lun::~Lun() { unflushed_->set_start_flush({}); }

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

/// Waits for its place among the commands; the deadlines of its callers are not its own.
Task<Joined> Lun::send_joined(const JoinedTransfer& run) {
  Cancellation all_gave_up(run.cancellations);
  RequestContext context{.cancellation = &all_gave_up, .revocation = run.revocation};
  const bool write = !run.out.empty();
  const ScsiCommand command{.cdb = write ? cdb::write_16(lba(run.offset), blocks(run.length), false)
                                         : cdb::read_16(lba(run.offset), blocks(run.length)),
                            .in = run.in,
                            .out = run.out,
                            .once = true,
                            .due = run.due};
  const CommandResult result = co_await runner_.run(context, command);
  if (fault_of(command, result)) co_return Joined::kNotMoved;
  if (write) {
    note_acknowledged();
    if (is_kept(context)) unflushed_->note_write(run.offset, run.out);
  }
  co_return Joined::kMoved;
}

/// When the session has ended the parts are sent again one by one, each under its caller's context.
Task<Joined> Lun::move_joined(const JoinedTransfer& run) {
  Joined outcome = Joined::kNotMoved;
  try {
    outcome = co_await send_joined(run);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnreachable) {
      outcome = Joined::kAlone;  // a write that was sent ends otherwise
    } else if (error.kind() != ErrorKind::kOutcomeUnknown) {
      throw;
    }
  }
  co_return outcome;
}

Task<void> Lun::read_piece(RequestContext& context, std::uint64_t offset, IoSpan out) {
  const auto since = RequestContext::Clock::now();
  if (out.size() <= TransferJoiner::kMaxPartBytes) {
    context.check();
    const Joined joined = co_await joiner_.join({.offset = offset,
                                                 .in = out,
                                                 .revocation = context.revocation,
                                                 .cancellation = context.cancellation});
    if (joined == Joined::kMoved) co_return;
  }
  const ScsiCommand command{
      .cdb = cdb::read_16(lba(offset), blocks(out.size())), .in = only(out), .since = since};
  const CommandResult result = co_await runner_.run(context, command);
  if (std::optional<Error> fault = fault_of(command, result)) {
    if (fault->kind() == ErrorKind::kReserved) co_await name_holder(context, *fault);
    fault->add_context(fmt::format("reading {} bytes at {}", out.size(), offset));
    throw *std::move(fault);
  }
}

Task<void> Lun::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                         WriteFlags flags) {
  note_mode_change();
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
  Unflushed::Room room;
  const bool there = unflushed_->take(room, in.size());
  if (!there) co_await unflushed_->wait(context, room, in.size());
  const auto since = RequestContext::Clock::now();
  Joined joined = Joined::kAlone;
  if (plain && in.size() <= TransferJoiner::kMaxPartBytes) {
    context.check();
    joined = co_await joiner_.join({.offset = offset,
                                    .out = in,
                                    .revocation = context.revocation,
                                    .cancellation = context.cancellation,
                                    .due = room.due()});
    if (joined == Joined::kMoved) co_return;
  }
  const ScsiCommand command{.cdb = cdb::write_16(lba(offset), blocks(in.size()), flags.fua),
                            .out = only(in),
                            .resend = flags.resend,
                            .since = since,
                            .maybe_sent = joined == Joined::kNotMoved,
                            .due = room.due()};
  co_await send_write(context, offset, command);
  if (is_kept(context)) unflushed_->note_write(offset, command.out);
}

/// Whether a change that was just acknowledged may be written again: one whose blocks are somebody
/// else's by now must not.
bool Lun::is_kept(const RequestContext& context) {
  if (context.revocation == nullptr || !context.revocation->done()) return true;
  unflushed_->note_not_kept();
  return false;
}

/// Ends when it is acknowledged; what it was is to be noted then.
Task<void> Lun::send_write(RequestContext& context, std::uint64_t offset,
                           const ScsiCommand& command) {
  const CommandResult result = co_await runner_.run(context, command);
  if (std::optional<Error> fault = fault_of(command, result)) {
    if (fault->kind() == ErrorKind::kReserved) co_await name_holder(context, *fault);
    fault->add_context(fmt::format("writing {} bytes at {}", command.out_size(), offset));
    throw *std::move(fault);
  }
  note_acknowledged();
}

/// Adds the key of who holds the LUN to `conflict`, if the LUN tells; an older kind of reservation
/// has none.
Task<void> Lun::name_holder(RequestContext& context, Error& conflict) {
  constexpr std::uint16_t kReservationBytes = 24;
  std::optional<std::uint64_t> key;
  try {
    const auto bytes =
        co_await runner_.ask(context, cdb::read_reservation(kReservationBytes), kReservationBytes);
    if (bytes) key = parse_reservation_key(*bytes);
  } catch (const Error& error) {
    log::debug("lun={}: who holds it: {}", features_.identity.serial, error.message());
  }
  if (key) conflict.add_context(fmt::format("held with key {:#018x}", *key));
}

void Lun::note_mode_change() {
  if (!runner_.take_mode_changed()) return;
  features_.write_cache = true;
  unflushed_->cache_on();
}

/// Before an acknowledged change is noted; what happened to the cache before it was not at stake.
void Lun::note_acknowledged() {
  note_mode_change();
  if (unflushed_->clean()) static_cast<void>(runner_.take_power_on());
}

void Lun::note_new_session(const LunFeatures& found) {
  note_mode_change();
  features_.write_cache = found.write_cache;
  // What the new session has cost is told by session_replaced() alone.
  static_cast<void>(runner_.take_power_on());
  unflushed_->session_replaced(found.write_cache);
}

void Lun::note_growth(const LunFeatures& found) {
  const std::uint64_t now = found.identity.size_bytes;
  if (now <= features_.identity.size_bytes) return;
  log::info("lun={}: has grown from {} to {} bytes", features_.identity.serial,
            features_.identity.size_bytes, now);
  features_.identity.size_bytes = now;
  features_.geometry.size_bytes = now;
}

/// Acknowledged writes that the LUN has lost can never be made durable any more: from then on every
/// flush fails.
void Lun::note_losses() {
  if (!runner_.late_failure().empty()) {
    unflushed_->lose_for_good("a write that was acknowledged has failed: " +
                              runner_.late_failure());
  }
  if (runner_.take_power_on() && !unflushed_->clean() && features_.write_cache) {
    unflushed_->lose_for_good(
        "the LUN was powered on anew while acknowledged writes were in its cache");
  }
}

Task<void> Lun::do_flush(RequestContext& context) {
  note_mode_change();
  std::optional<Error> refusal;
  if (features_.geometry.read_only || !features_.write_cache) {
    context.check();
    note_losses();
    unflushed_->flushed(unflushed_->mark());
  } else {
    refusal = co_await synchronize(context);
  }
  unflushed_->tell_losses();
  if (refusal) throw *std::move(refusal);
}

/// SYNCHRONIZE CACHE; the LUN's refusal. Errors: why it was not sent.
Task<std::optional<Error>> Lun::synchronize(RequestContext& context) {
  constexpr std::uint8_t kInvalidOpcode = 0x20;
  const Unflushed::Mark covered = unflushed_->mark();
  const ScsiCommand command{.cdb = cdb::synchronize_cache_10()};
  const CommandResult result = co_await runner_.run(context, command);
  note_losses();
  if (result.not_supported() && result.sense->asc == kInvalidOpcode) {
    log::warn(
        "lun={}: the target does not know SYNCHRONIZE CACHE; writes are taken as durable "
        "when it acknowledges them",
        features_.identity.serial);
    features_.write_cache = false;
    unflushed_->cache_off();
    co_return std::nullopt;
  }
  std::optional<Error> refusal = fault_of(command, result);
  if (!refusal) unflushed_->flushed(covered);
  co_return refusal;
}

Task<void> Lun::flush_in_background() {
  RequestContext unlimited;
  std::optional<Error> refused;
  std::optional<Error> unsent;
  try {
    refused = co_await synchronize(unlimited);
  } catch (const Error& error) {
    unsent = error;
  } catch (const std::exception& error) {
    unsent = Error(ErrorKind::kInternal, error.what());
  }
  unflushed_->flush_ended(refused, unsent);
  background_ended_.wake();
}

Task<void> Lun::background_ended() {
  RequestContext unlimited;
  while (unflushed_->flushing()) co_await background_ended_.until(unlimited);
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
  Unflushed::Room room;
  const bool there = unflushed_->take(room, in.size());
  if (!there) co_await unflushed_->wait(context, room, in.size());
  const auto count = static_cast<std::uint8_t>(blocks(in.size()));
  const std::array<ConstIoSpan, 2> buffers = {expected, in};
  const ScsiCommand command{.cdb = cdb::compare_and_write(lba(offset), count),
                            .out = buffers,
                            .resend = Resend::kNever,
                            .due = room.due()};
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
  note_acknowledged();
  if (is_kept(context)) unflushed_->note_write(offset, only(in));
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
