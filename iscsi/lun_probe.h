#pragma once

#include <cstdint>
#include <vector>

#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun_features.h"

namespace lunfs::iscsi {

/// The longest single READ or WRITE that lunfs sends; the LUN may ask for shorter ones. Four that
/// run together move a MiB faster than one: target, network and host work at the same time, each on
/// a piece that stays in its cache. docs/performance.md
inline constexpr std::uint64_t kMaxTransferBytes = std::uint64_t{256} << 10U;

/// Waits until LUN `lun` is ready and asks what it is: INQUIRY with its VPD pages, READ
/// CAPACITY(16), MODE SENSE.
///
/// Errors: kNotFound (no LUN of that number, or no disk), kUnsupported (blocks of other than 512
/// and 4096 bytes), command_error()'s, Session::execute()'s.
Task<LunFeatures> probe_lun(RequestContext& context, CommandRunner& runner, std::uint16_t lun);

/// The numbers of the LUNs that the target shows us; empty if it does not tell.
Task<std::vector<std::uint16_t>> report_luns(RequestContext& context, CommandRunner& runner);

}  // namespace lunfs::iscsi
