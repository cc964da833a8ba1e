#include "volume/sr/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "volume/lvm/lv_device.h"
#include "volume/sr/journal.h"
#include "volume/sr/lv_name.h"
#include "volume/sr/sorting.h"

namespace lunfs::sr {

namespace {

constexpr std::string_view kMgtName = "MGT";

/// A damaged MGT costs the names. But with the session gone there is nothing to show at all.
bool costs_the_mount(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kUnreachable:
    case ErrorKind::kTimedOut:
    case ErrorKind::kCancelled:
    case ErrorKind::kInternal:
      return true;
    default:
      return false;
  }
}

Task<std::vector<std::byte>> read_start(RequestContext& context, BlockDevice& lv,
                                        std::uint64_t length) {
  std::vector<std::byte> bytes(std::min(length, lv.geometry().size_bytes));
  co_await lv.read(context, 0, bytes);
  co_return bytes;
}

Task<Mgt> read_mgt(RequestContext& context, BlockDevice& lv) {
  const std::vector<std::byte> header = co_await read_start(context, lv, kMgtSectorBytes);
  const std::uint64_t used = parse_mgt_header(header);
  const std::uint64_t length = std::clamp(used, kMgtSectorBytes, kMgtMaxBytes);
  const std::vector<std::byte> bytes = co_await read_start(context, lv, length);
  co_return parse_mgt(bytes);
}

/// Runs `work`; an error that costs names only becomes a warning.
Task<void> tolerate(Task<void> work, std::string what, std::vector<std::string>& warnings) {
  try {
    co_await work;
  } catch (const Error& error) {
    if (costs_the_mount(error)) throw;
    warnings.push_back(fmt::format("{}: {}", what, error.message()));
  }
}

Task<void> add_mgt(RequestContext& context, BlockDevice& lv, SrContents& contents) {
  Mgt mgt = co_await read_mgt(context, lv);
  for (const std::string& warning : mgt.warnings) {
    contents.warnings.push_back(fmt::format("MGT: {}", warning));
  }
  contents.mgt = std::move(mgt);
}

Task<void> add_journal_value(RequestContext& context, BlockDevice& lv, std::string name,
                             SrContents& contents) {
  const std::vector<std::byte> sector = co_await read_start(context, lv, kJournalPayloadBytes);
  contents.journal_values.emplace(std::move(name), parse_journal_payload(sector));
}

}  // namespace

Task<Catalog> read_catalog(RequestContext& context, BlockDevice& device,
                           std::shared_ptr<const lvm::VolumeGroup> vg, bool detached) {
  if (!sr_uuid_of_vg(vg->name)) co_return sort_plain(std::move(vg), detached);

  SrContents contents;
  const lvm::LogicalVolume* const mgt = vg->find(kMgtName);
  if (mgt == nullptr || mgt->map == nullptr) {
    contents.warnings.push_back(
        fmt::format("{}: the names and flags of VDIs are not known",
                    mgt == nullptr ? "there is no MGT volume" : "MGT is not mapped"));
  } else {
    lvm::LvDevice lv(device, vg, *mgt, true);
    Task<void> work = add_mgt(context, lv, contents);
    co_await tolerate(std::move(work), "MGT, without which names are not known", contents.warnings);
  }
  for (const lvm::LogicalVolume& journal : vg->volumes) {
    if (journal.map == nullptr || !has_payload(journal)) continue;
    lvm::LvDevice lv(device, vg, journal, true);
    Task<void> work = add_journal_value(context, lv, journal.name, contents);
    std::string what = "journal " + journal.name;
    co_await tolerate(std::move(work), std::move(what), contents.warnings);
  }
  co_return sort_sr(std::move(vg), std::move(contents), detached);
}

}  // namespace lunfs::sr
