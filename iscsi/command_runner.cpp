#include "iscsi/command_runner.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace lunfs::iscsi {

namespace {

bool aborted(const CommandResult& result) noexcept {
  return result.status == ScsiStatus::kTaskAborted ||
         (result.status == ScsiStatus::kCheckCondition && result.sense &&
          result.sense->key == SenseKey::kAbortedCommand);
}

bool is_busy(const CommandResult& result) noexcept {
  return result.status == ScsiStatus::kBusy || result.status == ScsiStatus::kTaskSetFull;
}

}  // namespace

std::optional<Error> fault_of(const ScsiCommand& command, const CommandResult& result) {
  if (!result.succeeded()) {
    Error error = command_error(command.cdb, result);
    // Aborted says nothing of how far it had come.
    if (command.resend == Resend::kNever && command.out_size() != 0 && aborted(result)) {
      return Error(ErrorKind::kOutcomeUnknown, error.message());
    }
    return error;
  }
  if (result.missing_bytes == 0 && !result.overflow) return std::nullopt;
  const std::size_t asked = command.size();
  return Error(ErrorKind::kIo,
               result.overflow
                   ? fmt::format("{}: the target wanted to transfer more than {} bytes",
                                 command_name(command.cdb), asked)
                   : fmt::format("{}: the target transferred {} of {} bytes",
                                 command_name(command.cdb), asked - result.missing_bytes, asked));
}

void CommandRunner::note(const CommandResult& result) {
  if (result.status != ScsiStatus::kCheckCondition || !result.sense) return;
  if (result.sense->deferred) {
    port_.late_failure()->note(sense_text(*result.sense));
    log::error("portal={}: deferred error: {}", port_.portal_text(), late_failure());
    return;
  }
  if (result.sense->key != SenseKey::kUnitAttention) return;
  log::info("portal={}: {}", port_.portal_text(), sense_text(*result.sense));
  constexpr std::uint8_t kParametersChanged = 0x2a;
  // 00 says "power on, reset or bus reset": arrays send it after a failover that lost nothing.
  constexpr std::uint8_t kPowerOnQualifier = 0x01;
  const bool reset = tells_of_reset(*result.sense);
  if (result.sense->asc == kParametersChanged || reset) mode_changed_ = true;
  if (reset) reset_ = true;
  if (reset && result.sense->ascq == kPowerOnQualifier) power_on_ = true;
}

Task<CommandResult> CommandRunner::run(RequestContext& context, const ScsiCommand& command) {
  RetryPolicy policy(limits_);
  ScsiCommand addressed = command;
  if (!addressed.lun) addressed.lun = lun_;
  // Of all of its tries.
  if (!addressed.since) addressed.since = RequestContext::Clock::now();
  while (true) {
    const CommandResult result = co_await port_.execute(context, addressed);
    note(result);
    const double jitter = std::uniform_real_distribution<>()(random_);
    const RetryDecision decision = policy.next(result, command.resend, jitter);
    if (decision.step != RetryDecision::Step::kAgain) co_return result;
    addressed.busy_took = is_busy(result) ? result.refusal_took : RequestContext::Clock::duration{};
    addressed.maybe_sent = addressed.maybe_sent || (command.out_size() != 0 && aborted(result));
    if (decision.pause.count() > 0) {
      const auto until = RequestContext::Clock::now() + decision.pause;
      if (until >= context.deadline) co_return result;
      co_await port_.reactor().sleep_until(context, until);
    }
    port_.count_retry();
  }
}

Task<void> CommandRunner::run_or_throw(RequestContext& context, const ScsiCommand& command) {
  const CommandResult result = co_await run(context, command);
  if (std::optional<Error> fault = fault_of(command, result)) throw *std::move(fault);
}

Task<std::optional<std::vector<std::byte>>> CommandRunner::ask(RequestContext& context, Cdb cdb,
                                                               std::size_t allocation_length,
                                                               std::optional<std::uint16_t> lun) {
  std::vector<std::byte> data(allocation_length);
  const IoSpan in(data);
  const ScsiCommand command{.cdb = cdb, .in = only(in), .lun = lun};
  const CommandResult result = co_await run(context, command);
  if (result.not_supported()) co_return std::nullopt;
  if (!result.succeeded()) throw command_error(cdb, result);
  data.resize(data.size() - result.missing_bytes);
  co_return data;
}

}  // namespace lunfs::iscsi
