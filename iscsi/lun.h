#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/block_device.h"
#include "base/error.h"
#include "base/wake_up.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun_probe.h"
#include "iscsi/scsi_data.h"
#include "iscsi/transfer_joiner.h"
#include "iscsi/unflushed.h"

namespace lunfs::iscsi {

/// The LUN as a device of whole logical blocks. Reads and writes go straight between the socket and
/// the caller's buffers, in pieces of geometry().max_transfer_bytes that are in flight together;
/// short ones of neighbouring blocks that come in one turn of the loop go as one command.
///
/// A read that comes short is an Error, never a short success. Optional commands that the target
/// turns out not to know are left aside from then on. Belongs to the reactor's thread.
class Lun final : public BlockDevice {
 public:
  /// `runner` outlives this. @param journal_bytes @param patience  see Unflushed
  Lun(CommandRunner& runner, LunFeatures features, std::size_t journal_bytes = 0,
      std::chrono::seconds patience = {});
  /// No call may be under way, nor a flush in the background.
  ~Lun() override;

  [[nodiscard]] Geometry geometry() const noexcept override { return features_.geometry; }
  [[nodiscard]] const LunFeatures& features() const noexcept { return features_; }

  /// The commands go over a new session from now on. That the target was restarted cannot be told
  /// from a cut cable: what it acknowledged and no flush covered counts as lost, unless it is in
  /// the journal, which was written again then.
  void note_new_session(const LunFeatures& found);
  /// The LUN was looked at anew: it may be longer than it was.
  void note_growth(const LunFeatures& found);
  /// Shared with who writes its journal again.
  [[nodiscard]] const std::shared_ptr<Unflushed>& unflushed() const noexcept { return unflushed_; }
  /// Ends when no flush is sent in the background.
  Task<void> background_ended();

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  /// SYNCHRONIZE CACHE, unless the LUN says that it has no volatile cache.
  Task<void> do_flush(RequestContext& context) override;
  /// A hint: a target that refuses it is not asked again, and nothing has changed.
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  /// WRITE SAME where the LUN has it, else zeros; UNMAP alone would promise nothing.
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  [[nodiscard]] std::uint64_t lba(std::uint64_t offset) const noexcept;
  /// Of at most 2^32 - 1 blocks.
  [[nodiscard]] std::uint32_t blocks(std::uint64_t length) const;

  Task<Joined> move_joined(const JoinedTransfer& run);
  Task<Joined> send_joined(const JoinedTransfer& run);
  Task<void> read_piece(RequestContext& context, std::uint64_t offset, IoSpan out);
  Task<void> write_piece(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                         WriteFlags flags);
  Task<void> read_pieces(RequestContext& context, std::uint64_t offset, IoSpan out);
  Task<void> write_pieces(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                          WriteFlags flags);
  Task<void> send_write(RequestContext& context, std::uint64_t offset, const ScsiCommand& command);
  Task<void> write_all(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                       WriteFlags flags);
  Task<void> write_through(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                           WriteFlags flags);
  Task<bool> write_same(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                        bool unmap);
  Task<void> write_zero_buffers(RequestContext& context, std::uint64_t offset,
                                std::uint64_t length);
  Task<void> write_zero_piece(RequestContext& context, std::uint64_t offset, std::uint64_t length);
  Task<void> unmap_runs(RequestContext& context, std::uint64_t offset, std::uint64_t length);
  Task<std::vector<LbaState>> lba_states(RequestContext& context, std::uint64_t offset);
  Task<void> name_holder(RequestContext& context, Error& conflict);
  Task<std::optional<Error>> synchronize(RequestContext& context);
  Task<void> flush_in_background();
  void note_mode_change();
  void note_acknowledged();
  [[nodiscard]] bool is_kept(const RequestContext& context);
  void note_losses();

  CommandRunner& runner_;
  LunFeatures features_;
  TransferJoiner joiner_;
  std::vector<std::byte> zeros_;  ///< never written to; made when first needed
  std::shared_ptr<Unflushed> unflushed_;
  WakeUp background_ended_;
};

}  // namespace lunfs::iscsi
