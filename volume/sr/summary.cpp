#include "volume/sr/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "volume/lvm/label.h"
#include "volume/lvm/vg_reader.h"
#include "volume/sr/lv_name.h"
#include "volume/sr/mgt_reader.h"
#include "volume/sr/read_faults.h"
#include "volume/sr/vhd_heads.h"

namespace lunfs::sr {

namespace {

using Bytes = std::vector<std::byte>;

/// Partition tables, file systems and RAIDs begin or end with something within so many bytes.
constexpr std::uint64_t kEdgeBytes = 1U << 20U;
/// A pool commits in bursts; a summary that is a moment old is good enough after these.
constexpr int kAttempts = 3;
/// VHDs that are looked into because MGT does not know them.
constexpr std::size_t kMostHeads = 64;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
};
// The partition table last: boot sectors of file systems end like one.
constexpr std::array kSignatures = std::to_array<Signature>({
    {512, "EFI PART", "a GPT partition table"},
    {4096, "EFI PART", "a GPT partition table"},
    {0, "XFSB", "an XFS file system"},
    {1080, "\x53\xef", "an ext2, ext3 or ext4 file system"},
    {65600, "_BHRfS_M", "a btrfs file system"},
    {3, "NTFS    ", "an NTFS file system"},
    {0, "LUKS\xba\xbe", "a LUKS container"},
    {4086, "SWAPSPACE2", "swap space"},
    {510, "\x55\xaa", "an MBR partition table or boot sector"},
});

std::string_view name_of_content(ConstByteSpan start) noexcept {
  for (const Signature& signature : kSignatures) {
    const std::string_view text = as_text(start);
    if (text.size() >= signature.offset &&
        text.substr(signature.offset).starts_with(signature.bytes)) {
      return signature.name;
    }
  }
  return {};
}

Task<Bytes> read_at(RequestContext& context, BlockDevice& lun, std::uint64_t offset,
                    std::uint64_t length) {
  Bytes bytes(length);
  co_await lun.read(context, offset, bytes);
  co_return bytes;
}

/// A LUN without a label. `start` are its first bytes.
Task<Summary> summarize_foreign(RequestContext& context, BlockDevice& lun, const Bytes& start) {
  const std::uint64_t size = lun.geometry().size_bytes;
  Summary summary;
  summary.kind = Summary::Kind::kUnknown;
  summary.looks_like = name_of_content(start);
  if (!summary.looks_like.empty() || !all_zero(start)) co_return summary;
  const std::uint64_t length = std::min(kEdgeBytes, size);
  const Bytes end = co_await read_at(context, lun, size - length, length);
  if (all_zero(end)) summary.kind = Summary::Kind::kEmpty;
  co_return summary;
}

bool is_vdi(LvKind kind) noexcept {
  return kind == LvKind::kRawVdi || kind == LvKind::kVhdVdi || kind == LvKind::kQcow2Vdi;
}

/// True if the image says of itself that it is a base. One that cannot be read does not say so.
Task<bool> is_hidden(RequestContext& context, BlockDevice& lun,
                     const std::shared_ptr<const lvm::VolumeGroup>& vg,
                     const lvm::LogicalVolume& lv) {
  const VhdHead head = co_await read_vhd_head(context, lun, vg, lv);
  co_return head.image&& head.image->footer.hidden;
}

/// LVs that are VDIs by their names and are not known to be bases: MGT says which are. Only of a
/// few that it does not list is the image itself asked.
Task<std::size_t> count_vdis(RequestContext& context, BlockDevice& lun,
                             std::shared_ptr<const lvm::VolumeGroup> vg, const Mgt* mgt) {
  std::size_t count = 0;
  std::size_t asked = 0;
  for (const lvm::LogicalVolume& lv : vg->volumes) {
    const LvName name = classify_lv(lv.name, lv.tags);
    if (!is_vdi(name.kind) || !name.vdi || has_hidden_tag(lv.tags)) continue;
    const VdiRecord* record = mgt == nullptr ? nullptr : mgt->find(*name.vdi);
    bool base = record != nullptr && !record->managed;
    if (record == nullptr && name.kind == LvKind::kVhdVdi && lv.map && asked < kMostHeads) {
      ++asked;
      base = co_await is_hidden(context, lun, vg, lv);
    }
    if (!base) ++count;
  }
  co_return count;
}

Task<void> add_sr(RequestContext& context, BlockDevice& lun, Summary& summary) {
  const lvm::VolumeGroup& vg = *summary.vg;
  std::optional<Mgt> mgt;
  if (std::string absent = mgt_absence(vg); !absent.empty()) {
    summary.warnings.push_back(std::move(absent));
  } else {
    try {
      mgt = co_await read_mgt(context, lun, summary.vg);
    } catch (const Error& error) {
      if (costs_the_mount(error)) throw;
      summary.warnings.push_back(fmt::format("MGT: {}", error.message()));
    }
  }
  const Mgt* const names = mgt ? &*mgt : nullptr;
  summary.vdis = co_await count_vdis(context, lun, summary.vg, names);
  if (!mgt) co_return;
  summary.label = mgt->label;
  summary.description = mgt->description;
  summary.allocation = mgt->allocation;
  summary.has_pool_metadata =
      std::any_of(mgt->vdis.begin(), mgt->vdis.end(),
                  [](const VdiRecord& record) { return record.type == "metadata"; });
  for (const std::string& warning : mgt->warnings) summary.warnings.push_back("MGT: " + warning);
}

/// Of a PV that has a label.
Task<Summary> summarize_pv(RequestContext& context, BlockDevice& lun, Reactor& reactor) {
  Summary summary;
  try {
    summary.vg = co_await lvm::read_volume_group(context, lun, reactor);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    summary.kind = Summary::Kind::kPv;
    co_return summary;
  }
  summary.warnings = summary.vg->warnings;
  summary.uuid = sr_uuid_of_vg(summary.vg->name);
  summary.kind = summary.uuid ? Summary::Kind::kSr : Summary::Kind::kVg;
  if (summary.uuid) co_await add_sr(context, lun, summary);
  co_return summary;
}

bool has_label(const Bytes& start) {
  try {
    static_cast<void>(lvm::parse_label(start));
  } catch (const Error& error) {
    // A damaged label is one: who reads the VG says what is wrong with it.
    return error.kind() != ErrorKind::kNotFound;
  }
  return true;
}

}  // namespace

Task<Summary> summarize(RequestContext& context, BlockDevice& lun, Reactor& reactor) {
  const std::uint64_t size = lun.geometry().size_bytes;
  const Bytes start = co_await read_at(context, lun, 0, std::min(kEdgeBytes, size));
  const bool is_pv = start.size() >= lvm::kLabelScanBytes && has_label(start);
  if (!is_pv) co_return co_await summarize_foreign(context, lun, start);
  for (int attempt = 1;; ++attempt) {
    Summary summary = co_await summarize_pv(context, lun, reactor);
    if (summary.kind != Summary::Kind::kSr || attempt == kAttempts) co_return summary;
    const bool current = co_await lvm::is_still_current(context, lun, *summary.vg);
    if (current) co_return summary;
  }
}

}  // namespace lunfs::sr
