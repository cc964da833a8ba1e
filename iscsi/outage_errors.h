#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "iscsi/scsi_command.h"

/// What callers and the log are told of a session that is lost. Pure.
namespace lunfs::iscsi {

/// kOutcomeUnknown: `command` was sent, and nobody waits for its answer any more.
Error sent_and_given_up(const ScsiCommand& command);
/// kOutcomeUnknown: `command` was sent over a session that its target may still serve, so that it
/// must not go again.
Error not_sent_again(const ScsiCommand& command);

/// kUnreachable: the outage has lasted for `seconds`. `place` is what was tried, `failure` why it
/// failed last.
Error outage_too_long(const std::string& place, double seconds, const Error& failure);

/// kUnreachable: `count` sessions in a row ended within `limit` of their login, the last one for
/// `reason`.
Error thrown_out(const Error& reason, unsigned count, std::chrono::seconds limit,
                 const std::string& initiator);

}  // namespace lunfs::iscsi
