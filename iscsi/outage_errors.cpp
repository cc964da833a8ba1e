#include "iscsi/outage_errors.h"

#include <fmt/format.h>

namespace lunfs::iscsi {

Error sent_and_given_up(const ScsiCommand& command) {
  return {ErrorKind::kOutcomeUnknown,
          fmt::format("{} was sent and not answered, and the caller gave up",
                      command_name(command.cdb))};
}

Error not_sent_again(const ScsiCommand& command) {
  return Error(ErrorKind::kOutcomeUnknown,
               fmt::format("{} was sent over a path that was lost and not answered",
                           command_name(command.cdb)))
      .because("the target may still carry it out, and cannot be made to say that it does not")
      .advise("see what stands there before it is written again");
}

Error outage_too_long(const std::string& place, double seconds, const Error& failure) {
  const bool told = !failure.cause().empty();
  return Error(ErrorKind::kUnreachable, fmt::format("no session with {} for {:.0f} s: {}", place,
                                                    seconds, failure.message()))
      .because(told ? failure.cause() : "the target, or the network to it, is down")
      .advise(told ? failure.remedy()
                   : "bring the target back: reads and writes work again by themselves then");
}

Error thrown_out(const Error& reason, unsigned count, std::chrono::seconds limit,
                 const std::string& initiator) {
  return Error(ErrorKind::kUnreachable,
               fmt::format("{}; {} sessions in a row ended within {} s of their login: another "
                           "initiator uses this name ({})",
                           reason.message(), count, limit.count(), initiator))
      .because(
          "two hosts log in with one name and throw each other out, or the target ends "
          "the session at something that it is asked")
      .advise("lunfs-iqn verify tells; give each host a name of its own (lunfs-iqn generate)");
}

}  // namespace lunfs::iscsi
