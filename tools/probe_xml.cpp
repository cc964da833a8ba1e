#include <pugixml.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "iscsi/lun_url.h"
#include "tools/probe_report.h"

namespace lunfs::tools {

namespace {

/// White space around a text, which then stands on a line of its own, as in xe's documents.
constexpr std::string_view kBeforeText = "\n\t\t\t";
constexpr std::string_view kBehindText = "\n\t\t";

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Bytes of a LUN as characters that may stand in XML: what is no UTF-8 or none of them is
/// replaced. Control characters are left out when the document is written.
std::string characters_of(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const std::string dumped = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  auto characters = Json::parse(dumped).get<std::string>();
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (std::size_t at = 0; (at = characters.find(none, at)) != std::string::npos;) {
      characters.replace(at, none.size(), kReplacement);
    }
  }
  return characters;
}

void add(pugi::xml_node parent, const char* name, std::string_view text) {
  if (text.empty()) return;
  std::string padded(kBeforeText);
  padded += characters_of(text);
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
  add(target, "Index", std::to_string(index));
  try {
    const auto portal = iscsi::PortalAddress::parse(address);
    const bool usual = portal.port == iscsi::PortalAddress::kDefaultPort;
    const std::string text = portal.text();
    add(target, "IPAddress", text.substr(0, text.rfind(':')));
    if (!usual) add(target, "Port", std::to_string(portal.port));
  } catch (const Error&) {  // a target may name whatever it likes
    add(target, "IPAddress", address);
  }
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
