#include "tools/sr_info.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exit_codes.h"
#include "tools/reach.h"

namespace lunfs::tools {

namespace {

constexpr auto kSize = Column::Kind::kSize;

/// Facts that belong together.
struct Section {
  std::string title;
  std::vector<Column> facts;
};

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"SR",
       {{"uuid", "/sr/uuid"},
        {"label", "/sr/label"},
        {"description", "/sr/description"},
        {"allocation", "/sr/allocation"},
        {"disks", "disks"},
        {"LVs not shown", "not_shown_count"}}},
      {"VG",
       {{"name", "/vg/name"},
        {"uuid", "/vg/uuid"},
        {"size", "/vg/size_bytes", kSize},
        {"used", "vg_used_bytes", kSize},
        {"free", "/vg/free_bytes", kSize},
        {"extent", "/vg/extent_bytes", kSize},
        {"LVs", "/vg/lvs"},
        {"seqno", "/vg/seqno"}}},
      {"PV",
       {{"uuid", "/vg/pv_uuid"},
        {"data begins at", "/vg/pe_start_bytes"},
        {"metadata areas at", "/vg/metadata_area_offsets"}}},
      {"LUN",
       {{"SCSIid", "/session/scsi_id"},
        {"vendor", "/session/vendor"},
        {"product", "/session/product"},
        {"serial", "/session/serial"},
        {"size", "size_bytes", kSize},
        {"size in bytes", "size_bytes"},
        {"block", "/session/block_size_bytes", kSize},
        {"physical block", "/session/physical_block_bytes", kSize},
        {"longest command", "/session/max_transfer_bytes", kSize},
        {"provisioning", "/session/provisioning"},
        {"write protected", "/session/write_protected"},
        {"capabilities", "/session/capabilities"}}},
      {"Session",
       {{"portal", "/session/portal"},
        {"target", "/session/target"},
        {"LUN", "/session/lun"},
        {"initiator", "/session/initiator"},
        {"CHAP", "/session/chap"},
        {"state", "/session/state"}}},
      {"Mount",
       {{"directory", "mount_point"}, {"pid", "pid"}, {"control socket", "control_socket"}}},
      {"Source", {{"source", "source"}, {"read-only", "read_only_reason"}}},
  };
  return all;
}

std::string indented(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) result += "  " + line + "\n";
  return result;
}

std::size_t count_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_array() ? found->size() : 0;
}

/// 0 if there is no such number.
std::uint64_t number_at(const Json& document, const char* place) {
  const Json::json_pointer pointer{place};
  if (!document.contains(pointer) || !document.at(pointer).is_number_unsigned()) return 0;
  return document.at(pointer).get<std::uint64_t>();
}

/// The document with what is counted or picked out of it.
Json with_counts(const Json& document) {
  Json facts = document;
  facts["disks"] = count_of(document, "volumes");
  facts["not_shown_count"] = count_of(document, "not_shown");
  const std::uint64_t size = number_at(document, "/vg/size_bytes");
  const std::uint64_t free = number_at(document, "/vg/free_bytes");
  if (size >= free) facts["vg_used_bytes"] = size - free;
  if (count_of(document, "sessions") > 0) facts["session"] = document["sessions"][0];
  return facts;
}

struct Options {
  std::string source;
  ReachOptions reach;
  bool json = false;
};

int info(const Program& program, const Options& options) {
  std::string notice;
  const Json document =
      read_document(name_source(options.source, options.reach.timeout()), options.reach, notice);
  if (!notice.empty()) program.warn(notice);
  program.print(options.json ? json_text(document) : sr_info_text(document));
  return kExitSuccess;
}

}  // namespace

std::string sr_info_text(const Json& document) {
  const Json facts = with_counts(document);
  std::string text;
  for (const Section& section : sections()) {
    if (section.title == "SR" && !document.contains("sr")) continue;
    const std::string lines = facts_text(section.facts, facts);
    if (lines.empty()) continue;
    if (!text.empty()) text += "\n";
    text += section.title + "\n" + indented(lines);
  }
  if (count_of(document, "warnings") > 0) {
    text += "\nWarnings\n";
    for (const Json& one : document["warnings"]) {
      text +=
          fmt::format("  {}\n", one_line(one.is_string() ? one.get<std::string>() : one.dump()));
    }
  }
  return text;
}

void add_sr_info_command(Program& program) {
  auto options = std::make_shared<Options>();
  CLI::App& app = program.add_command("info", "What a LUN is, and the SR or VG on it.",
                                      [&program, options] { return info(program, *options); });
  app.add_option("SOURCE", options->source,
                 "iscsi://[user@]host[:port]/target-iqn/lun, an image or block device, or the "
                 "directory where it is mounted")
      ->required();
  app.add_flag("--json", options->json, "print a JSON object");
  add_reach_options(app, options->reach, "seconds that all may take");
}

}  // namespace lunfs::tools
