#include "fs/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "volume/sr/catalog_json.h"

namespace lunfs::fs {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kOperations = {Operation::kRead, Operation::kWrite, Operation::kFlush,
                                    Operation::kZero, Operation::kCopy,  Operation::kSeek,
                                    Operation::kOpen};

ShardReport sum_of(const std::vector<ShardReport>& shards) {
  ShardReport sum = shards.front();
  for (std::size_t i = 1; i < shards.size(); ++i) sum += shards[i];
  return sum;
}

Json cache_of(const ShardReport& all) {
  const vhd::MetadataCache::Counts& counts = all.cache;
  return {{"hits", counts.hits},
          {"misses", counts.misses},
          {"bytes", counts.bytes},
          {"tables", counts.tables},
          {"limit_bytes", all.cache_limit_bytes}};
}

Json requests_of(const ShardReport& sum) {
  Json all = {{"in_flight", sum.statistics.in_flight()},
              {"bytes_in_flight", sum.bytes_in_flight},
              {"parked", sum.parked}};
  for (const Operation operation : kOperations) {
    const OperationCounters& counters = sum.statistics.of(operation);
    all[std::string(name_of(operation))] = {
        {"ended", counters.ended}, {"failed", counters.failed}, {"bytes", counters.bytes}};
  }
  return all;
}

void put_cache(std::string& text, const ShardReport& all) {
  const vhd::MetadataCache::Counts& counts = all.cache;
  text += fmt::format(
      "# HELP lunfs_vhd_cache_lookups_total Tables of VHDs that were wanted.\n"
      "# TYPE lunfs_vhd_cache_lookups_total counter\n"
      "lunfs_vhd_cache_lookups_total{{result=\"hit\"}} {}\n"
      "lunfs_vhd_cache_lookups_total{{result=\"miss\"}} {}\n"
      "# HELP lunfs_vhd_cache_bytes Memory that tables of VHDs take.\n"
      "# TYPE lunfs_vhd_cache_bytes gauge\n"
      "lunfs_vhd_cache_bytes {}\n"
      "# HELP lunfs_vhd_cache_limit_bytes Memory that they may take.\n"
      "# TYPE lunfs_vhd_cache_limit_bytes gauge\n"
      "lunfs_vhd_cache_limit_bytes {}\n",
      counts.hits, counts.misses, counts.bytes, all.cache_limit_bytes);
}

void put_journal(std::string& text, const ShardReport& all) {
  text += fmt::format(
      "# HELP lunfs_losses_total How often acknowledged writes may have been lost.\n"
      "# TYPE lunfs_losses_total counter\n"
      "lunfs_losses_total {}\n"
      "# HELP lunfs_journal_bytes Writes kept until they are flushed.\n"
      "# TYPE lunfs_journal_bytes gauge\n"
      "lunfs_journal_bytes {}\n"
      "# HELP lunfs_journal_limit_bytes How much of them is kept at most.\n"
      "# TYPE lunfs_journal_limit_bytes gauge\n"
      "lunfs_journal_limit_bytes {}\n"
      "# HELP lunfs_journal_replays_total How often they were written again after an outage.\n"
      "# TYPE lunfs_journal_replays_total counter\n"
      "lunfs_journal_replays_total {}\n"
      "# HELP lunfs_journal_replayed_bytes_total Bytes that were written again.\n"
      "# TYPE lunfs_journal_replayed_bytes_total counter\n"
      "lunfs_journal_replayed_bytes_total {}\n",
      all.losses, all.journal.bytes, all.journal.limit_bytes, all.journal.replays,
      all.journal.bytes_replayed);
}

void put_paths(std::string& text, const ShardReport& all) {
  if (all.paths.empty()) return;
  text +=
      "# HELP lunfs_path_up Whether the portal answers.\n"
      "# TYPE lunfs_path_up gauge\n";
  for (const ShardReport::Path& path : all.paths) {
    text += fmt::format("lunfs_path_up{{portal=\"{}\"}} {}\n", path.portal, path.up ? 1 : 0);
  }
  text += fmt::format(
      "# HELP lunfs_path_failovers_total How often a session went to another path.\n"
      "# TYPE lunfs_path_failovers_total counter\n"
      "lunfs_path_failovers_total {}\n",
      all.failovers);
}

void put_latencies(std::string& text, Operation operation, const OperationCounters& counters) {
  constexpr double kPerSecond = 1e6;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counters.by_latency.size(); ++i) {
    sum += counters.by_latency[i];
    const std::string bound =
        i < OperationCounters::kBounds.size()
            ? fmt::format("{:g}",
                          static_cast<double>(OperationCounters::kBounds[i].count()) / kPerSecond)
            : "+Inf";
    text += fmt::format("lunfs_request_seconds_bucket{{operation=\"{}\",le=\"{}\"}} {}\n",
                        name_of(operation), bound, sum);
  }
  text += fmt::format("lunfs_request_seconds_sum{{operation=\"{}\"}} {:g}\n", name_of(operation),
                      static_cast<double>(counters.total_us) / kPerSecond);
  text += fmt::format("lunfs_request_seconds_count{{operation=\"{}\"}} {}\n", name_of(operation),
                      counters.ended);
}

}  // namespace

std::string status_json(const StatusInput& input) {
  Json status = {{"status_version", 1},
                 {"lunfs", LUNFS_VERSION},
                 {"pid", getpid()},
                 {"source", input.source.shown},
                 {"mount_point", input.mount_point},
                 {"control_socket", input.control_socket},
                 {"read_only", !input.read_only_reason.empty()},
                 {"read_only_reason", input.read_only_reason},
                 {"size_bytes", input.shards.front().size_bytes}};
  status["out_of_space"] = input.out_of_space;
  status["vg_changes"] = input.vg_changes;
  status["sessions"] = Json::array();
  for (const ShardReport& shard : input.shards) {
    if (!shard.session.empty()) status["sessions"].push_back(Json::parse(shard.session));
  }
  const ShardReport all = sum_of(input.shards);
  status["requests"] = requests_of(all);
  status["vhd_cache"] = cache_of(all);
  status.update(sr::catalog_json(*input.catalog));
  // Labels come from the LUN: bytes that are not UTF-8 must not cost the whole page.
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string metrics_text(const StatusInput& input) {
  const ShardReport all = sum_of(input.shards);
  const Statistics& statistics = all.statistics;
  std::string text;
  text +=
      "# HELP lunfs_session_up Whether the iSCSI session, or each of several, is there.\n"
      "# TYPE lunfs_session_up gauge\n";
  text += fmt::format("lunfs_session_up {}\n", all.up ? 1 : 0);
  text +=
      "# HELP lunfs_session_outages_total How often the iSCSI session was lost.\n"
      "# TYPE lunfs_session_outages_total counter\n";
  text += fmt::format("lunfs_session_outages_total {}\n", all.outages);
  put_journal(text, all);
  put_paths(text, all);
  text +=
      "# HELP lunfs_requests_in_flight FUSE requests being served.\n"
      "# TYPE lunfs_requests_in_flight gauge\n";
  text += fmt::format("lunfs_requests_in_flight {}\n", statistics.in_flight());
  text +=
      "# HELP lunfs_request_bytes_total Bytes moved by requests that succeeded.\n"
      "# TYPE lunfs_request_bytes_total counter\n";
  for (const Operation operation : kOperations) {
    text += fmt::format("lunfs_request_bytes_total{{operation=\"{}\"}} {}\n", name_of(operation),
                        statistics.of(operation).bytes);
  }
  text +=
      "# HELP lunfs_request_failures_total Requests that failed.\n"
      "# TYPE lunfs_request_failures_total counter\n";
  for (const Operation operation : kOperations) {
    text += fmt::format("lunfs_request_failures_total{{operation=\"{}\"}} {}\n", name_of(operation),
                        statistics.of(operation).failed);
  }
  put_cache(text, all);
  text +=
      "# HELP lunfs_request_seconds How long requests took.\n"
      "# TYPE lunfs_request_seconds histogram\n";
  for (const Operation operation : kOperations) {
    put_latencies(text, operation, statistics.of(operation));
  }
  return text;
}

}  // namespace lunfs::fs
