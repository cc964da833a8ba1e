#include "fs/shard_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "iscsi/lun_json.h"

namespace lunfs::fs {

ShardReport ShardReport::of(const Source& source, const IoOperations& io,
                            const vhd::MetadataCache& cache) {
  ShardReport report;
  if (source.lun != nullptr) {
    using Json = nlohmann::ordered_json;
    // What a target says of itself may be no UTF-8.
    report.session =
        iscsi::session_json(*source.lun).dump(-1, ' ', false, Json::error_handler_t::replace);
    const iscsi::SessionState state = source.lun->state();
    report.up = state.kind == iscsi::SessionState::Kind::kUp;
    report.outages = state.outages;
    report.losses = source.lun->losses();
    report.journal = source.lun->journal();
    report.failovers = state.failovers;
    for (const iscsi::PathReport& path : source.lun->paths()) {
      report.paths.push_back({path.portal.text(), iscsi::is_up(path.state)});
    }
  }
  report.size_bytes = source.device->geometry().size_bytes;
  report.statistics = io.statistics();
  report.bytes_in_flight = io.budget().bytes_in_flight();
  report.parked = io.budget().waiting();
  report.cache = cache.counts();
  report.cache_limit_bytes = cache.limit_bytes();
  return report;
}

ShardReport& ShardReport::operator+=(const ShardReport& other) {
  up = up && other.up;
  outages += other.outages;
  losses += other.losses;
  journal += other.journal;
  failovers += other.failovers;
  for (const Path& path : other.paths) {
    const auto same = std::find_if(paths.begin(), paths.end(),
                                   [&](const Path& one) { return one.portal == path.portal; });
    if (same != paths.end()) same->up = same->up || path.up;
  }
  statistics += other.statistics;
  bytes_in_flight += other.bytes_in_flight;
  parked += other.parked;
  cache.hits += other.cache.hits;
  cache.misses += other.cache.misses;
  cache.bytes += other.cache.bytes;
  cache.tables += other.cache.tables;
  cache_limit_bytes += other.cache_limit_bytes;
  return *this;
}

}  // namespace lunfs::fs
