#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/block_device.h"
#include "fs/view.h"
#include "volume/sr/disks.h"

namespace lunfs::fs {

/// The devices behind a view's files, as one shard has opened them: no I/O. When the view has got
/// another catalog they are opened anew; a request goes on with the one that it has. The shard's
/// thread only.
class DiskTable {
 public:
  /// Both outlive this.
  DiskTable(const View& view, sr::Disks& disks);

  /// The device of a node that has bytes; who uses it across a co_await holds it. In an SR that a
  /// pool may be changing, the node's opens since the last call count: the device then sees what
  /// hosts wrote before them. Errors: the revocation's.
  [[nodiscard]] const std::shared_ptr<BlockDevice>& of(const Node& node) {
    if (edition_ != view_.edition()) open_all();
    node.revocation.check();
    Entry& entry = entries_[node.disk];
    if (entry.live != nullptr) renew(entry, node);
    return entry.device;
  }

 private:
  struct Entry {
    std::shared_ptr<BlockDevice> device;
    sr::LiveDisk* live = nullptr;  ///< see sr::Disk
    std::uint64_t opens = 0;       ///< of the node, as far as the disk knows
  };

  void open_all();
  [[nodiscard]] Entry open(const Node& node);
  static void renew(Entry& entry, const Node& node) noexcept;

  const View& view_;
  sr::Disks& disks_;
  std::vector<Entry> entries_;  ///< by Node::disk; empty ones of nodes that were revoked
  std::uint64_t edition_ = 0;   ///< of the view, that they were opened for
};

}  // namespace lunfs::fs
