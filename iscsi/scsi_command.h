#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/block_device.h"
#include "base/error.h"
#include "base/request_context.h"
#include "iscsi/sense.h"

namespace lunfs::iscsi {

/// A command descriptor block as it goes over the wire.
struct Cdb {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t length = 0;
};

/// One SCSI command with its buffers. The caller owns these, and the lists of them, until the
/// command has ended.
struct ScsiCommand {
  Cdb cdb;
  std::span<const IoSpan> in{};        ///< where the data goes, one part after the other
  std::span<const ConstIoSpan> out{};  ///< what is sent; not together with `in`
  Resend resend = Resend::kAllowed;
  std::optional<std::uint16_t> lun{};  ///< none: the session's
  /// When the caller began to wait, from which a SessionKeeper counts; none: now.
  std::optional<RequestContext::Clock::time_point> since{};
  /// Fails when the session ends or is not there, whatever `resend` says: whoever sent it sends its
  /// parts again.
  bool once = false;
  /// Its data was sent before, by another command, and the outcome of that is not known.
  bool maybe_sent = false;
  /// Fails by kUnreachable, unsent, while it is not known what LUN the session leads to.
  bool not_in_doubt = false;
  /// When it must have ended: unanswered it ends its session then, if the session's own time is not
  /// up before. None: never.
  std::optional<RequestContext::Clock::time_point> due{};
  /// What is not sent by then fails by kUnreachable. None: never.
  std::optional<RequestContext::Clock::time_point> send_by{};
  /// How long the target took to say that it is busy when it was sent last; 0 if it said something
  /// else.
  RequestContext::Clock::duration busy_took{};

  [[nodiscard]] std::size_t in_size() const noexcept { return size_of(in); }
  [[nodiscard]] std::size_t out_size() const noexcept { return size_of(out); }
  /// What the command asks to be transferred, in either direction.
  [[nodiscard]] std::size_t size() const noexcept { return in_size() + out_size(); }

 private:
  template <typename Span>
  static std::size_t size_of(std::span<const Span> parts) noexcept {
    std::size_t sum = 0;
    for (const Span& part : parts) sum += part.size();
    return sum;
  }
};

/// A list of one buffer, for ScsiCommand; `buffer` outlives the command.
template <typename Span>
std::span<const Span> only(const Span& buffer) noexcept {
  return {&buffer, 1};
}

/// How a command ended. Source: SAM-5 §5.3.
enum class ScsiStatus : std::uint8_t {
  kGood = 0x00,
  kCheckCondition = 0x02,
  kBusy = 0x08,
  kReservationConflict = 0x18,
  kTaskSetFull = 0x28,
  kAcaActive = 0x30,
  kTaskAborted = 0x40,
};

/// What the target answered.
struct CommandResult {
  ScsiStatus status = ScsiStatus::kGood;
  std::optional<Sense> sense;     ///< for kCheckCondition, if the target sent any
  std::size_t missing_bytes = 0;  ///< of those asked for, how many were not transferred
  bool overflow = false;          ///< the target had more to transfer than was asked for
  RequestContext::Clock::duration refusal_took{};  ///< from its sending on; 0 if it succeeded

  /// The command was carried out: GOOD, or CHECK CONDITION with RECOVERED ERROR.
  [[nodiscard]] bool succeeded() const noexcept;
  /// True for ILLEGAL REQUEST: the target does not know the command or one of its fields.
  [[nodiscard]] bool not_supported() const noexcept;
};

/// The Error for a command that did not succeed: "READ(16): MEDIUM ERROR 03/11/00 ...".
Error command_error(const Cdb& cdb, const CommandResult& result);

/// T10's name of the command.
std::string_view command_name(const Cdb& cdb) noexcept;
/// Whether it makes what is in the LUN's cache durable.
bool is_flush(const Cdb& cdb) noexcept;

/// Command descriptor blocks. LBAs and block counts are logical blocks of the LUN; allocation
/// lengths are bytes. Source: SPC-4 §6, SBC-3 §5.
namespace cdb {

Cdb test_unit_ready();
Cdb inquiry(std::uint16_t allocation_length);
Cdb inquiry_page(std::uint8_t page, std::uint16_t allocation_length);
Cdb read_capacity_16(std::uint32_t allocation_length);
/// Current values, without block descriptors.
Cdb mode_sense_6(std::uint8_t page, std::uint8_t allocation_length);
Cdb report_luns(std::uint32_t allocation_length);
Cdb read_16(std::uint64_t lba, std::uint32_t blocks);
Cdb write_16(std::uint64_t lba, std::uint32_t blocks, bool fua);
/// The whole LUN; (10), as every target has it.
Cdb synchronize_cache_10();
/// REPORT TARGET PORT GROUPS, in the length-only form
Cdb report_port_groups(std::uint32_t allocation_length);
/// PERSISTENT RESERVE IN: who holds the LUN
Cdb read_reservation(std::uint16_t allocation_length);
Cdb unmap(std::uint16_t parameter_length);
Cdb write_same_16(std::uint64_t lba, std::uint32_t blocks, bool unmap);
Cdb compare_and_write(std::uint64_t lba, std::uint8_t blocks);
Cdb get_lba_status(std::uint64_t lba, std::uint32_t allocation_length);

}  // namespace cdb

/// A run of logical blocks.
struct BlockRun {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;

  bool operator==(const BlockRun&) const = default;
};

/// The parameter list of UNMAP. At most 4095 runs.
std::vector<std::byte> unmap_parameters(std::span<const BlockRun> runs);

}  // namespace lunfs::iscsi
