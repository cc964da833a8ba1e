#include "volume/sr/catalog_json.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "volume/vhd/image_head.h"

namespace lunfs::sr {

namespace {

using Json = nlohmann::ordered_json;
using LvSizes = std::unordered_map<std::string_view, std::uint64_t>;

LvSizes sizes_of(const lvm::VolumeGroup& vg) {
  LvSizes sizes;
  for (const lvm::LogicalVolume& lv : vg.volumes) sizes.emplace(lv.name, lv.size_bytes);
  return sizes;
}

void add_chain(const Volume& volume, Json& one) {
  const ChainPlan& plan = volume.disk->plan;
  const vhd::ImageHead& leaf = *volume.disk->heads->at(plan.images.front()).image;
  if (std::string parent = plan.parent(); !parent.empty()) one["parent"] = std::move(parent);
  one["chain"] = plan.members();
  one["in_use"] = leaf.in_use;
}

Json volume_json(const Volume& volume, const LvSizes& sizes) {
  Json one = {{"file", volume.file_name},
              {"lv", volume.lv_name},
              {"kind", volume.kind},
              {"label", volume.label},
              {"size_bytes", volume.size_bytes},
              {"read_only", volume.read_only}};
  if (volume.uuid) one["uuid"] = volume.uuid->text();
  if (!volume.description.empty()) one["description"] = volume.description;
  if (!volume.read_only_reason.empty()) one["read_only_reason"] = volume.read_only_reason;
  one["allocated_bytes"] = volume.allocated_bytes;
  if (const auto size = sizes.find(volume.lv_name); size != sizes.end()) {
    one["lv_bytes"] = size->second;
  }
  if (volume.snapshot_of) one["snapshot_of"] = volume.snapshot_of->text();
  if (volume.is_vhd()) add_chain(volume, one);
  return one;
}

Json not_shown_json(const NotShown& hidden, const LvSizes& sizes) {
  Json one = {{"lv", hidden.lv_name},
              {"reason", hidden.reason},
              {"faulty", hidden.faulty},
              {"vhd", hidden.vhd}};
  if (hidden.uuid) one["uuid"] = hidden.uuid->text();
  if (!hidden.kind.empty()) {
    one["kind"] = hidden.kind;
    one["base"] = hidden.base;
  }
  if (!hidden.label.empty()) one["label"] = hidden.label;
  if (const auto size = sizes.find(hidden.lv_name); size != sizes.end()) {
    one["lv_bytes"] = size->second;
  }
  return one;
}

}  // namespace

Json vg_json(const lvm::VolumeGroup& vg) {
  Json areas = Json::array();
  for (const lvm::HeaderMark& mark : vg.header_marks) areas.push_back(mark.offset);
  return {{"name", vg.name},
          {"uuid", vg.uuid ? vg.uuid->text() : ""},
          {"pv_uuid", vg.pv_uuid ? vg.pv_uuid->text() : ""},
          {"seqno", vg.header.seqno},
          {"extent_bytes", vg.extent_bytes},
          {"extents", vg.extent_count},
          {"free_extents", vg.free_extent_count},
          {"size_bytes", vg.extent_count * vg.extent_bytes},
          {"free_bytes", vg.free_extent_count * vg.extent_bytes},
          {"pe_start_bytes", vg.pe_start_bytes},
          {"metadata_area_offsets", std::move(areas)},
          {"lvs", vg.volumes.size()}};
}

Json catalog_json(const Catalog& catalog) {
  Json json = {{"layout", catalog.layout == Layout::kXenServer ? "xenserver" : "plain"}};
  if (catalog.sr_uuid) {
    json["sr"] = {{"uuid", catalog.sr_uuid->text()},
                  {"label", catalog.sr_label},
                  {"description", catalog.sr_description},
                  {"allocation", catalog.sr_allocation}};
  }
  json["vg"] = vg_json(*catalog.vg);
  const LvSizes sizes = sizes_of(*catalog.vg);
  json["volumes"] = Json::array();
  for (const Volume& one : catalog.volumes) json["volumes"].push_back(volume_json(one, sizes));
  json["not_shown"] = Json::array();
  for (const NotShown& one : catalog.not_shown) {
    json["not_shown"].push_back(not_shown_json(one, sizes));
  }
  json["warnings"] = catalog.warnings;
  for (const std::string& warning : catalog.vg->warnings) json["warnings"].push_back(warning);
  return json;
}

}  // namespace lunfs::sr
