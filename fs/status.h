#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fs/shard_report.h"
#include "fs/source.h"
#include "fs/view.h"

namespace lunfs::fs {

/// What status.json and metrics tell of; all of it outlives a call.
struct StatusInput {
  const Source& source;
  const std::string& mount_point;
  const std::string& control_socket;
  std::shared_ptr<const sr::Catalog> catalog;
  std::uint64_t vg_changes;  ///< how often another host was found to have changed the VG
  bool out_of_space;         ///< the last write was refused for want of it
  const std::string& read_only_reason;
  std::vector<ShardReport> shards;  ///< at least one
};

/// .lunfs/status.json: versioned by "status_version", fields only added. Page: docs/man/lunfs.8.md.
std::string status_json(const StatusInput& input);

/// .lunfs/metrics in the Prometheus text format.
std::string metrics_text(const StatusInput& input);

}  // namespace lunfs::fs
