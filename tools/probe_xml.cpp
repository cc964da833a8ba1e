#include <pugixml.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "tools/probe_report.h"

namespace lunfs::tools {

namespace {

constexpr unsigned kDefaultPort = 3260;
/// White space around a text, which then stands on a line of its own, as in xe's documents.
constexpr std::string_view kBeforeText = "\n\t\t\t";
constexpr std::string_view kBehindText = "\n\t\t";

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add(pugi::xml_node parent, const char* name, std::string_view text) {
  if (text.empty()) return;
  std::string padded(kBeforeText);
  padded += text;
  padded += kBehindText;
  parent.append_child(name).text().set(padded.c_str());
}

/// The same for a field of a record, if it is there.
void add(pugi::xml_node parent, const char* name, const Json& record, const char* field) {
  if (const auto found = record.find(field); found != record.end()) {
    add(parent, name, text_of(*found));
  }
}

std::string text_of(const pugi::xml_document& document) {
  std::ostringstream text;
  // Names of a LUN may hold characters that XML has no place for.
  document.save(text, "\t", pugi::format_default | pugi::format_skip_control_chars);
  return text.str();
}

void add_target(pugi::xml_node root, unsigned index, std::string_view address,
                std::string_view iqn) {
  pugi::xml_node target = root.append_child("TGT");
  // Without the portal group's tag.
  address = address.substr(0, address.rfind(','));
  const std::size_t colon = address.rfind(':');
  const std::string_view port = address.substr(colon + 1);
  add(target, "Index", std::to_string(index));
  add(target, "IPAddress", address.substr(0, colon));
  if (port != std::to_string(kDefaultPort)) add(target, "Port", port);
  add(target, "TargetIQN", iqn);
}

template <typename Use>
void for_each_disk(const Json& document, Use use) {
  for (const Json& target : document["targets"]) {
    if (!target.contains("luns")) continue;
    for (const Json& lun : target["luns"]) {
      if (lun.value("content", "") != "no_disk") use(lun);
    }
  }
}

}  // namespace

std::string targets_xml(const Json& document) {
  pugi::xml_document xml;
  pugi::xml_node root = xml.append_child("iscsi-target-iqns");
  unsigned index = 0;
  for (const Json& target : document["targets"]) {
    for (const Json& portal : target["portals"]) {
      add_target(root, index++, text_of(portal), text_of(target["iqn"]));
    }
  }
  add_target(root, index, text_of(document["portal"]) + ",", "*");
  return text_of(xml);
}

std::string luns_xml(const Json& document) {
  pugi::xml_document xml;
  pugi::xml_node root = xml.append_child("iscsi-target");
  for_each_disk(document, [&root](const Json& lun) {
    pugi::xml_node node = root.append_child("LUN");
    add(node, "vendor", lun, "vendor");
    add(node, "serial", lun, "serial");
    add(node, "LUNid", lun, "lun");
    add(node, "size", lun, "size_bytes");
    add(node, "SCSIid", lun, "scsi_id");
  });
  return text_of(xml);
}

std::string srs_xml(const Json& document) {
  pugi::xml_document xml;
  pugi::xml_node root = xml.append_child("SRlist");
  for_each_disk(document, [&root](const Json& lun) {
    if (!lun.contains("sr")) return;
    pugi::xml_node node = root.append_child("SR");
    add(node, "UUID", lun["sr"], "uuid");
    add(node, "Devlist", lun, "url");
    add(node, "size", lun["vg"], "size_bytes");
    add(node, "name_label", lun["sr"], "label");
    add(node, "name_description", lun["sr"], "description");
    add(node, "pool_metadata_detected", lun["sr"], "pool_metadata");
  });
  return text_of(xml);
}

}  // namespace lunfs::tools
