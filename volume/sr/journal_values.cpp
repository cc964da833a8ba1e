#include "volume/sr/journal_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "volume/lvm/lv_device.h"
#include "volume/sr/journal.h"
#include "volume/sr/read_faults.h"

namespace lunfs::sr {

Task<std::map<std::string, std::string>> read_journal_values(
    RequestContext& context, BlockDevice& lun, std::shared_ptr<const lvm::VolumeGroup> vg,
    std::vector<std::string>& warnings) {
  std::map<std::string, std::string> values;
  for (const lvm::LogicalVolume& journal : vg->volumes) {
    if (journal.map == nullptr || !has_payload(journal)) continue;
    lvm::LvDevice lv(lun, vg, journal, true);
    std::vector<std::byte> sector(std::min(kJournalPayloadBytes, lv.geometry().size_bytes));
    try {
      co_await lv.read(context, 0, sector);
      values.emplace(journal.name, parse_journal_payload(sector));
    } catch (const Error& error) {
      if (costs_the_mount(error)) throw;
      warnings.push_back(fmt::format("journal {}: {}", journal.name, error.message()));
    }
  }
  co_return values;
}

}  // namespace lunfs::sr
