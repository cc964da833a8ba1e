#pragma once

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/command_port.h"
#include "iscsi/retry_policy.h"
#include "iscsi/scsi_command.h"

namespace lunfs::iscsi {

/// Sends commands until they are answered for good, by RetryPolicy. It and SessionKeeper are the
/// only places in lunfs that send anything twice. Belongs to the reactor's thread.
class CommandRunner {
 public:
  /// `port` outlives this. Commands that name no LUN go to `lun`; none: the session's.
  CommandRunner(CommandPort& port, const RetryLimits& limits, std::optional<std::uint16_t> lun = {})
      : port_(port), limits_(limits), lun_(lun), random_(std::random_device()()) {}

  /// The final answer; not an Error if the target refused. A pause that would reach the context's
  /// deadline is not made: the refusal is the answer then. Errors: the port's.
  Task<CommandResult> run(RequestContext& context, const ScsiCommand& command);

  /// The same, but a refusal is an Error (command_error(); kOutcomeUnknown for an aborted write
  /// with Resend::kNever), and so is a transfer of other than the full length (kIo).
  Task<void> run_or_throw(RequestContext& context, const ScsiCommand& command);

  /// Data of at most `allocation_length` bytes that `cdb` asks for; nullopt if the target does not
  /// know the command or page. Errors: as run_or_throw().
  Task<std::optional<std::vector<std::byte>>> ask(RequestContext& context, Cdb cdb,
                                                  std::size_t allocation_length,
                                                  std::optional<std::uint16_t> lun = {});

  /// True once if a UNIT ATTENTION said since the last call that mode parameters may have changed.
  [[nodiscard]] bool take_mode_changed() noexcept { return std::exchange(mode_changed_, false); }

  /// True once if a UNIT ATTENTION said since the last call that the LUN was powered on: a volatile
  /// cache has lost its content.
  [[nodiscard]] bool take_power_on() noexcept { return std::exchange(power_on_, false); }

  /// The same for all that says that it was powered on or reset.
  [[nodiscard]] bool take_reset() noexcept { return std::exchange(reset_, false); }

  [[nodiscard]] Reactor& reactor() noexcept { return port_.reactor(); }

  /// The port's; see LateFailure.
  [[nodiscard]] const std::string& late_failure() const noexcept {
    return port_.late_failure()->text();
  }

 private:
  void note(const CommandResult& result);

  CommandPort& port_;
  RetryLimits limits_;
  std::optional<std::uint16_t> lun_;
  std::minstd_rand random_;  ///< for jitter only
  bool mode_changed_ = false;
  bool power_on_ = false;
  bool reset_ = false;
};

/// The Error for a final answer that is not a full success; nullopt if it is one.
std::optional<Error> fault_of(const ScsiCommand& command, const CommandResult& result);

}  // namespace lunfs::iscsi
