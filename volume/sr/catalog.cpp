#include "volume/sr/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "volume/lvm/vg_reader.h"
#include "volume/sr/chain_scan.h"
#include "volume/sr/journal.h"
#include "volume/sr/journal_values.h"
#include "volume/sr/lv_name.h"
#include "volume/sr/mgt_reader.h"
#include "volume/sr/read_faults.h"
#include "volume/sr/sorting.h"

namespace lunfs::sr {

namespace {

/// A pool commits a few times a minute, in bursts of a few commits within a second.
constexpr int kAttempts = 10;

/// Runs `work`; an error that costs names only becomes a warning.
Task<void> tolerate(Task<void> work, std::string what, std::vector<std::string>& warnings) {
  try {
    co_await work;
  } catch (const Error& error) {
    if (costs_the_mount(error)) throw;
    warnings.push_back(fmt::format("{}: {}", what, error.message()));
  }
}

Task<void> add_mgt(RequestContext& context, BlockDevice& device,
                   std::shared_ptr<const lvm::VolumeGroup> vg, SrContents& contents) {
  Mgt mgt = co_await read_mgt(context, device, std::move(vg));
  for (const std::string& warning : mgt.warnings) {
    contents.warnings.push_back(fmt::format("MGT: {}", warning));
  }
  contents.mgt = std::move(mgt);
}

/// Looks into every VHD, and into the BATs of those that a disk is read from.
Task<void> add_vhds(RequestContext& context, BlockDevice& device,
                    std::shared_ptr<const lvm::VolumeGroup> vg, SrContents& contents) {
  VhdHeads heads = co_await read_vhd_heads(context, device, vg);
  contents.heads = std::move(heads);
  const VdisInTransition in_transition = vdis_in_transition(*vg, contents.journal_values);
  const ChainPlanner planner(*vg, contents.heads, in_transition);
  std::vector<ChainPlan> plans;
  for (const auto& [name, head] : contents.heads) {
    if (!head.image || head.image->footer.hidden) continue;
    ChainPlan plan = planner.plan(name);
    if (plan.readable()) plans.push_back(std::move(plan));
  }
  co_await scan_chains(context, device, vg, plans, contents.heads);
}

}  // namespace

Task<Catalog> read_catalog(RequestContext& context, BlockDevice& device,
                           std::shared_ptr<const lvm::VolumeGroup> vg, bool detached) {
  if (!sr_uuid_of_vg(vg->name)) co_return sort_plain(std::move(vg), detached);

  SrContents contents;
  if (const std::string absent = mgt_absence(*vg); !absent.empty()) {
    contents.warnings.push_back(
        fmt::format("{}: the names and flags of VDIs are not known", absent));
  } else {
    Task<void> work = add_mgt(context, device, vg, contents);
    co_await tolerate(std::move(work), "MGT, without which names are not known", contents.warnings);
  }
  contents.journal_values = co_await read_journal_values(context, device, vg, contents.warnings);
  co_await add_vhds(context, device, vg, contents);
  co_return sort_sr(std::move(vg), std::move(contents), detached);
}

Task<std::shared_ptr<const Catalog>> read_current_catalog(RequestContext& context,
                                                          BlockDevice& device, Reactor& reactor,
                                                          bool detached) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::shared_ptr<const lvm::VolumeGroup> vg =
        co_await lvm::read_volume_group(context, device, reactor);
    Catalog catalog = co_await read_catalog(context, device, vg, detached);
    const bool current = co_await lvm::is_still_current(context, device, *vg);
    if (current) co_return std::make_shared<const Catalog>(std::move(catalog));
  }
  throw Error(ErrorKind::kBusy,
              fmt::format("the VG was changed {} times while it was read", kAttempts))
      .because("a host is making, removing or resizing many volumes")
      .advise("try again when it has finished");
}

}  // namespace lunfs::sr
