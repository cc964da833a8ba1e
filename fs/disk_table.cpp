#include "fs/disk_table.h"

namespace lunfs::fs {

DiskTable::DiskTable(const View& view, sr::Disks& disks) : view_(view), disks_(disks) {
  open_all();
}

void DiskTable::open_all() {
  const auto lock = view_.lock();
  edition_ = view_.edition();
  // Those of nodes that are the same, too: else they would keep each VG that there ever was.
  std::vector<Entry> all;
  all.reserve(view_.with_bytes().size());
  for (const Node* node : view_.with_bytes()) all.push_back(open(*node));
  entries_ = std::move(all);
}

DiskTable::Entry DiskTable::open(const Node& node) {
  if (node.revocation.done()) return {};
  const std::shared_ptr<const lvm::VolumeGroup>& vg = node.catalog->vg;
  sr::Disk disk = node.volume != nullptr
                      ? disks_.open_volume(vg, *node.volume, !node.read_only_reason.empty())
                      : disks_.open_lv(vg, *node.lv);
  return {.device = std::move(disk.device), .live = disk.live};
}

void DiskTable::renew(Entry& entry, const Node& node) noexcept {
  const std::uint64_t opens = node.opens.load(std::memory_order_acquire);
  if (entry.opens == opens) return;
  entry.opens = opens;
  entry.live->renew();
}

}  // namespace lunfs::fs
