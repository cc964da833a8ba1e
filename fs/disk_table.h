#pragma once

#include <cstdint>
#include <vector>

#include "base/block_device.h"
#include "fs/view.h"
#include "volume/sr/disks.h"

namespace lunfs::fs {

/// The devices behind a view's files, as one shard has opened them: no I/O. The shard's thread
/// only.
class DiskTable {
 public:
  /// `disks` outlives this.
  DiskTable(const View& view, sr::Disks& disks);

  /// The device of a node that has bytes. In an SR that a pool may be changing, the node's opens
  /// since the last call count: the device then sees what hosts wrote before them.
  [[nodiscard]] BlockDevice& of(const Node& node) {
    Entry& entry = entries_[node.disk];
    if (entry.disk.live != nullptr) renew(entry, node);
    return *entry.disk.device;
  }

 private:
  struct Entry {
    sr::Disk disk;
    std::uint64_t opens = 0;  ///< of the node, as far as the disk knows
  };

  static void renew(Entry& entry, const Node& node) noexcept;

  std::vector<Entry> entries_;  ///< by Node::disk
};

}  // namespace lunfs::fs
