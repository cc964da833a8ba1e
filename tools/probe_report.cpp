#include "tools/probe_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace lunfs::tools {

namespace {

constexpr auto kText = Column::Kind::kText;
constexpr auto kNumber = Column::Kind::kNumber;
constexpr auto kSize = Column::Kind::kSize;

const std::vector<Column>& columns() {
  static const std::vector<Column> all = {
      {"TARGET", "target"},
      {"LUN", "lun", kNumber, true},
      {"SIZE", "size_bytes", kSize, true},
      {"CONTENT", "what"},
      {"LABEL", "/sr/label", kText, true},
      {"SR UUID", "/sr/uuid", kText, true},
      {"VDIS", "/sr/vdis", kNumber, true},
      {"FREE", "/vg/free_bytes", kSize, true},
      {"SCSIID", "scsi_id", kText, true},
  };
  return all;
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What is on a LUN, in words.
std::string content_text(const Json& lun) {
  const std::string content = text_at(lun, "content");
  if (content == "sr") return "XenServer SR";
  if (content == "vg") return "VG " + text_at(lun["vg"], "name");
  if (content == "pv") return "PV without a VG";
  if (content == "empty") return "empty";
  if (content == "damaged") return "LVM that cannot be read";
  if (content == "unreadable") return "cannot be read";
  const std::string known = text_at(lun, "looks_like");
  return known.empty() ? "unknown" : "unknown: " + known;
}

std::string target_text(const Json& target) {
  const std::string state = text_at(target, "state");
  return state == "ok" ? "no LUN" : state;
}

bool is_disk(const Json& lun) { return text_at(lun, "content") != "no_disk"; }

Json disks_of(const Json& target) {
  Json disks = Json::array();
  if (!target.contains("luns")) return disks;
  for (const Json& lun : target["luns"]) {
    if (is_disk(lun)) disks.push_back(lun);
  }
  return disks;
}

/// Every disk of the document.
Json all_disks(const Json& document) {
  Json all = Json::array();
  for (const Json& target : document["targets"]) {
    for (const Json& lun : disks_of(target)) all.push_back(lun);
  }
  return all;
}

Json rows_of(const Json& document) {
  Json rows = Json::array();
  for (const Json& target : document["targets"]) {
    const Json disks = disks_of(target);
    for (const Json& lun : disks) {
      Json row = lun;
      row["target"] = target["iqn"];
      row["what"] = content_text(lun);
      rows.push_back(std::move(row));
    }
    if (disks.empty()) rows.push_back({{"target", target["iqn"]}, {"what", target_text(target)}});
  }
  return rows;
}

std::string trouble_text(const std::string& where, const Json& error) {
  std::string text =
      fmt::format("\n{}: {}\n", one_line(where), one_line(text_at(error, "message")));
  const std::array parts = std::to_array<std::pair<const char*, const char*>>(
      {{"likely cause", "cause"}, {"what to do", "remedy"}});
  for (const auto& [title, key] : parts) {
    const std::string part = text_at(error, key);
    if (!part.empty()) text += fmt::format("  {}: {}\n", title, one_line(part));
  }
  return text;
}

/// What went wrong at targets and LUNs, the initiator's name where somebody has to be told it.
std::string troubles_of(const Json& document) {
  std::string text;
  for (const Json& target : document["targets"]) {
    const std::string iqn = text_at(target, "iqn");
    if (target.contains("error")) {
      text += trouble_text(iqn, target["error"]);
      if (text_at(target, "state") == "refused") {
        text += fmt::format("  initiator to allow: {}\n", text_at(document, "initiator"));
      }
    }
    for (const Json& lun : disks_of(target)) {
      const std::string where = fmt::format("{} LUN {}", iqn, lun["lun"].dump());
      if (lun.contains("error")) text += trouble_text(where, lun["error"]);
      if (!lun.contains("warnings")) continue;
      for (const Json& warning : lun["warnings"]) {
        text += fmt::format("\n{}: {}\n", one_line(where), one_line(warning.get<std::string>()));
      }
    }
  }
  return text;
}

std::string mount_lines(const Json& document) {
  std::string commands;
  std::string lines;
  for (const Json& lun : all_disks(document)) {
    if (!lun.contains("mount")) continue;
    const std::string label = lun.contains("sr") ? text_at(lun["sr"], "label") : std::string();
    commands += "  " + text_at(lun["mount"], "command");
    if (!label.empty()) commands += "  # " + one_line(label);
    commands += "\n";
    lines += "  " + text_at(lun["mount"], "fstab") + "\n";
  }
  if (commands.empty()) return {};
  return fmt::format("\nTo mount, once the directory is there:\n{}\nIn /etc/fstab:\n{}", commands,
                     lines);
}

/// One word of a shell's command line.
std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

/// One field of fstab(5).
std::string fstab_field(std::string_view text) {
  std::string field;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#') {
      field += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      field += c;
    }
  }
  return field;
}

/// A mount option's value: a comma or a backslash in it has a backslash in front.
std::string option_value(std::string_view text) {
  std::string value;
  for (const char c : text) {
    if (c == ',' || c == '\\') value += '\\';
    value += c;
  }
  return value;
}

std::string mount_options(const ReachOptions& options) {
  std::string text;
  if (options.credentials) {
    // fstab knows no current directory.
    const auto path = std::filesystem::absolute(*options.credentials).lexically_normal();
    text += ",credentials=" + option_value(path.string());
  }
  if (options.initiator) text += ",initiator=" + option_value(*options.initiator);
  return text;
}

std::string mount_point_for(const Json& lun) {
  return "/mnt/" + (lun.contains("sr") ? text_at(lun["sr"], "uuid") : text_at(lun["vg"], "name"));
}

}  // namespace

void add_mount_lines(Json& document, const ReachOptions& options) {
  const std::string more = mount_options(options);
  for (Json& target : document["targets"]) {
    if (!target.contains("luns")) continue;
    for (Json& lun : target["luns"]) {
      const std::string content = text_at(lun, "content");
      if (content != "sr" && content != "vg") continue;
      const std::string url = text_at(lun, "url");
      const std::string place = mount_point_for(lun);
      lun["mount"] = {
          {"command", fmt::format("lunfs {} {} -o {}", shell_word(url), shell_word(place),
                                  shell_word("ro" + more))},
          {"fstab", fmt::format("{} {} fuse.lunfs {} 0 0", fstab_field(url), fstab_field(place),
                                fstab_field("ro,_netdev,nofail" + more))}};
    }
  }
}

std::string probe_text(const Json& document) {
  return table_text(columns(), rows_of(document)) + troubles_of(document) + mount_lines(document);
}

}  // namespace lunfs::tools
