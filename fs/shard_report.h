#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fs/io_operations.h"
#include "fs/source.h"
#include "fs/statistics.h"
#include "volume/vhd/metadata_cache.h"

namespace lunfs::fs {

/// What a shard tells of itself; a value, which its thread makes and any thread may read.
struct ShardReport {
  /// Of the shard's thread.
  static ShardReport of(const Source& source, const IoOperations& io,
                        const vhd::MetadataCache& cache);

  std::string session;        ///< iscsi::session_json() as text; empty if the source is no LUN
  bool up = true;             ///< the session is there, or there is none to be lost
  std::uint64_t outages = 0;  ///< of the session, ever
  std::uint64_t losses = 0;   ///< see iscsi::LunDevice::losses()
  iscsi::JournalStats journal;
  std::uint64_t failovers = 0;
  /// Whether a portal answers, as the session found last.
  struct Path {
    std::string portal;
    bool up = false;
  };
  std::vector<Path> paths;
  std::uint64_t size_bytes = 0;
  Statistics statistics;
  std::size_t bytes_in_flight = 0;
  std::size_t parked = 0;  ///< requests that wait for their share of the bytes in flight
  vhd::MetadataCache::Counts cache;
  std::size_t cache_limit_bytes = 0;

  /// Adds what another shard tells; session and size stay this one's. A path is up if one of them
  /// says so.
  ShardReport& operator+=(const ShardReport& other);
};

}  // namespace lunfs::fs
