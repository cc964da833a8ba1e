#include "iscsi/lun_json.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace lunfs::iscsi {

namespace {

using Json = nlohmann::ordered_json;

/// What lunfs may use, in words.
Json capabilities_of(const LunFeatures& features) {
  Json all = Json::array();
  const auto add = [&all](bool there, const char* name) {
    if (there) all.push_back(name);
  };
  add(features.unmap, "unmap");
  add(features.write_same, "write_same");
  add(features.write_same_unmap, "write_same_unmap");
  add(features.max_compare_and_write > 0, "compare_and_write");
  add(features.lba_status, "lba_status");
  add(features.fua, "fua");
  add(features.write_cache, "write_cache");
  return all;
}

/// The ways to the target, in the order in which they were named.
Json paths_json(const std::vector<PathReport>& paths) {
  Json all = Json::array();
  const auto now = std::chrono::steady_clock::now();
  for (const PathReport& path : paths) {
    const bool known = path.state != PathReport::State::kUnknown;
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(now - path.since);
    all.push_back({{"portal", path.portal.text()},
                   {"state", name_of(path.state)},
                   {"for_seconds", known ? Json(since.count()) : Json()},
                   {"down_because", path.reason},
                   {"access", path.access ? Json(name_of(*path.access)) : Json()}});
  }
  return all;
}

}  // namespace

Json lun_json(const LunFeatures& features) {
  const LunIdentity& identity = features.identity;
  return {{"vendor", identity.vendor},
          {"product", identity.product},
          {"serial", identity.serial},
          {"designator", identity.designator},
          {"scsi_id", identity.scsi_id},
          {"size_bytes", identity.size_bytes},
          {"block_size_bytes", identity.block_size_bytes},
          {"physical_block_bytes", features.geometry.physical_block_bytes},
          {"max_transfer_bytes", features.geometry.max_transfer_bytes},
          {"provisioning", features.thin ? "thin" : "thick"},
          {"write_protected", features.write_protected},
          {"capabilities", capabilities_of(features)}};
}

namespace {

Json journal_json(const JournalStats& journal) {
  return {{"limit_bytes", journal.limit_bytes},
          {"bytes", journal.bytes},
          {"changes", journal.changes},
          {"complete", journal.complete},
          {"replays", journal.replays},
          {"changes_replayed", journal.changes_replayed},
          {"bytes_replayed", journal.bytes_replayed}};
}

}  // namespace

Json session_json(const LunDevice& lun) {
  const SessionStats stats = lun.stats();
  const SessionNames names = lun.names();
  const SessionState state = lun.state();
  Json json = {{"portal", names.portal},
               {"state", name_of(state.kind)},
               {"outages", state.outages},
               {"lost_for_seconds", state.lost_for.count()},
               {"lost_because", state.reason},
               {"failovers", state.failovers},
               {"paths", paths_json(lun.paths())},
               {"initiator", names.initiator},
               {"target", names.target},
               {"lun", names.lun},
               {"chap", names.chap}};
  json.update(lun_json(lun.features()));
  json["commands"] = stats.commands;
  json["retries"] = stats.retries;
  json["losses"] = lun.losses();
  json["journal"] = journal_json(lun.journal());
  return json;
}

}  // namespace lunfs::iscsi
