#include "fs/disk_table.h"

namespace lunfs::fs {

DiskTable::DiskTable(const View& view, sr::Disks& disks) {
  entries_.reserve(view.with_bytes().size());
  for (const Node* node : view.with_bytes()) {
    Entry entry;
    entry.disk = node->volume != nullptr
                     ? disks.open_volume(*node->volume, !node->read_only_reason.empty())
                     : disks.open_lv(*node->lv);
    entries_.push_back(std::move(entry));
  }
}

void DiskTable::renew(Entry& entry, const Node& node) noexcept {
  const std::uint64_t opens = node.opens.load(std::memory_order_acquire);
  if (entry.opens == opens) return;
  entry.opens = opens;
  entry.disk.live->renew();
}

}  // namespace lunfs::fs
