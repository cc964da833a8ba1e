#pragma once

#include <cstdint>
#include <vector>

#include "base/block_device.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/command_runner.h"
#include "iscsi/open_lun.h"

namespace lunfs::iscsi {

/// What a LUN is and can, as far as lunfs uses it. Counts in logical blocks; 0 = no limit told.
struct LunFeatures {
  LunIdentity identity;
  Geometry geometry;  ///< of the block-aligned device
  bool write_cache = true;
  bool fua = false;
  bool unmap = false;
  std::uint32_t max_unmap_blocks = 0;
  std::uint32_t max_unmap_runs = 0;
  bool write_same = false;
  bool write_same_unmap = false;  ///< and the range reads as zeros for certain
  std::uint64_t max_write_same = 0;
  std::uint32_t max_compare_and_write = 0;  ///< 0 = not supported
  bool lba_status = false;                  ///< a deallocated block reads as zeros for certain
};

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
