#include "iscsi/lun_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/unaligned_device.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun.h"
#include "iscsi/lun_probe.h"
#include "iscsi/sense.h"

namespace lunfs::iscsi {

namespace {

std::string text_of(const LunIdentity& lun) {
  return fmt::format("{} {} serial={} id={} of {} bytes in blocks of {}", lun.vendor, lun.product,
                     lun.serial, lun.designator, lun.size_bytes, lun.block_size_bytes);
}

std::optional<Refusal> other_lun(const ExpectedLun& expected, const LunIdentity& found) {
  LunIdentity same = expected.identity;
  same.size_bytes = std::max(same.size_bytes, found.size_bytes);
  if (found == same) return std::nullopt;
  Error error =
      Error(ErrorKind::kIo,
            fmt::format("another LUN stands at number {} now: {}, not {}", expected.number,
                        text_of(found), text_of(expected.identity)))
          .because("the array's LUNs were mapped anew, or the LUN was replaced or cut")
          .advise("nothing is sent to it; put the LUN back, or unmount, check, and mount again");
  return Refusal{.error = std::move(error)};
}

}  // namespace

bool casts_doubt(const CommandResult& result) noexcept {
  if (result.status != ScsiStatus::kCheckCondition || !result.sense || result.sense->deferred) {
    return false;
  }
  const Sense& sense = *result.sense;
  switch (sense.key) {
    case SenseKey::kUnitAttention:
      return sense.is(0x3f, 0x03) ||  // INQUIRY data has changed
             sense.is(0x3f, 0x0e) ||  // reported LUNs data has changed
             sense.is(0x2a, 0x09);    // capacity data has changed
    case SenseKey::kIllegalRequest:
      return sense.is(0x25, 0x00);  // logical unit not supported
    default:
      return false;
  }
}

Task<LunCheck> check_lun(RequestContext& context, CommandPort& port, ExpectedLun expected,
                         const RetryLimits& retries) {
  CommandRunner runner(port, retries);
  LunCheck check;
  check.features = co_await probe_lun(context, runner, expected.number);
  check.refusal = other_lun(expected, check.features.identity);
  if (!check.refusal && expected.guard) {
    Lun lun(runner, check.features);
    UnalignedDevice bytes(port.reactor(), lun);
    std::optional<Error> objection = co_await expected.guard(context, bytes);
    if (objection) check.refusal = Refusal{.error = *std::move(objection), .for_good = true};
  }
  check.reset = runner.take_reset();
  co_return check;
}

}  // namespace lunfs::iscsi
