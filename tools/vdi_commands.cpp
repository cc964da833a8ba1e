#include "tools/vdi_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/exit_codes.h"
#include "tools/reach.h"
#include "tools/vdi_records.h"

namespace lunfs::tools {

namespace {

constexpr auto kText = Column::Kind::kText;
constexpr auto kSize = Column::Kind::kSize;

const std::vector<Column>& list_columns() {
  static const std::vector<Column> columns = {
      {"UUID", "uuid", kText, true},          {"LABEL", "label", kText, true},
      {"LV", "lv_without_uuid", kText, true}, {"KIND", "kind", kText, true},
      {"SIZE", "size_bytes", kSize, true},    {"USED", "used_bytes", kSize, true},
      {"IN VG", "lv_bytes", kSize, true},     {"STATE", "state"},
      {"PARENT", "parent", kText, true},      {"SNAPSHOT OF", "snapshot_of", kText, true},
      {"REASON", "reason", kText, true},
  };
  return columns;
}

const std::vector<Column>& facts() {
  static const std::vector<Column> columns = {
      {"uuid", "uuid"},
      {"label", "label"},
      {"description", "description"},
      {"kind", "kind"},
      {"size", "size_bytes", kSize},
      {"used", "used_bytes", kSize},
      {"in the VG", "lv_bytes", kSize},
      {"LV", "lv"},
      {"file", "file"},
      {"parent", "parent"},
      {"chain", "chain"},
      {"snapshot of", "snapshot_of"},
      {"in use", "in_use"},
      {"state", "state"},
      {"reason", "reason"},
  };
  return columns;
}

struct Options {
  std::string source;
  std::vector<std::string> names;  ///< of info
  ReachOptions reach;
  bool all = false;
  bool json = false;
  bool minimal = false;
};

Json read_records(const Program& program, const Options& options, Json& document) {
  std::string notice;
  document =
      read_document(name_source(options.source, options.reach.timeout()), options.reach, notice);
  if (!notice.empty()) program.warn(notice);
  // Who names a base copy wants it.
  return vdi_records(document, options.all || !options.names.empty());
}

/// What a script needs to know beside the disks.
Json with_origin(const Json& document, Json records) {
  Json result = Json::object();
  for (const char* key : {"source", "mount_point", "layout", "sr"}) {
    if (document.contains(key)) result[key] = document[key];
  }
  result["vdis"] = std::move(records);
  return result;
}

void print_minimal(const Program& program, const Json& document, const Json& records) {
  program.print(minimal_text(records, document.contains("sr") ? "uuid" : "lv"));
}

int list(const Program& program, const Options& options) {
  Json document;
  Json records = read_records(program, options, document);
  if (options.json) {
    program.print(json_text(with_origin(document, std::move(records))));
  } else if (options.minimal) {
    print_minimal(program, document, records);
  } else {
    // An LV's name is worth a column only where it does not say what stands beside it anyway.
    for (Json& record : records) {
      if (!record.contains("uuid")) record["lv_without_uuid"] = record["lv"];
    }
    program.print(table_text(list_columns(), records));
  }
  return kExitSuccess;
}

Json chosen(const Options& options, const Json& records) {
  if (options.names.empty()) return records;
  Json result = Json::array();
  for (const std::string& name : options.names) {
    const Json found = vdis_named(records, name);
    if (found.empty()) {
      throw Error(ErrorKind::kNotFound,
                  fmt::format("{}: there is no disk '{}'", options.source, name))
          .because("no disk has this uuid, label, LV or file name")
          .advise(fmt::format("lunfs-vdi list --all {} names them", options.source));
    }
    for (const Json& one : found) result.push_back(one);
  }
  return result;
}

int info(const Program& program, const Options& options) {
  Json document;
  const Json records = read_records(program, options, document);
  const Json shown = chosen(options, records);
  if (options.json) {
    program.print(json_text(with_origin(document, shown)));
    return kExitSuccess;
  }
  if (options.minimal) {
    print_minimal(program, document, shown);
    return kExitSuccess;
  }
  std::string text;
  for (const Json& record : shown) {
    if (!text.empty()) text += "\n";
    text += facts_text(facts(), record);
  }
  program.print(text);
  return kExitSuccess;
}

CLI::App& add_common(Program& program, const std::string& name, const std::string& purpose,
                     const std::shared_ptr<Options>& options,
                     int (*action)(const Program&, const Options&)) {
  CLI::App& app = program.add_command(
      name, purpose, [&program, options, action] { return action(program, *options); });
  app.add_option("SOURCE", options->source,
                 "iscsi://[user@]host[:port]/target-iqn/lun, an image or block device, or the "
                 "directory where it is mounted")
      ->required();
  app.add_flag("--json", options->json, "print a JSON object");
  app.add_flag("--minimal", options->minimal, "only uuids, with commas between")
      ->excludes("--json");
  add_reach_options(app, options->reach, "seconds that all may take");
  return app;
}

}  // namespace

void add_vdi_commands(Program& program) {
  auto listing = std::make_shared<Options>();
  CLI::App& list_app = add_common(program, "list", "The disks of a LUN.", listing, list);
  list_app.add_flag("--all", listing->all, "base copies and LVs that are no disks, too");

  auto single = std::make_shared<Options>();
  CLI::App& info_app =
      add_common(program, "info", "Everything about disks: those named, or all.", single, info);
  info_app.add_option("VDI", single->names, "uuid, label, LV or file of a disk");
}

}  // namespace lunfs::tools
