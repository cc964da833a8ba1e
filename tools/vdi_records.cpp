#include "tools/vdi_records.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace lunfs::tools {

namespace {

/// Where a field of a record comes from.
struct Source {
  const char* field;
  const char* of_volume;
};
constexpr std::array kFields = std::to_array<Source>({
    {"uuid", "uuid"},
    {"label", "label"},
    {"description", "description"},
    {"kind", "kind"},
    {"size_bytes", "size_bytes"},
    {"used_bytes", "allocated_bytes"},
    {"lv_bytes", "lv_bytes"},
    {"parent", "parent"},
    {"chain", "chain"},
    {"snapshot_of", "snapshot_of"},
    {"in_use", "in_use"},
    {"lv", "lv"},
    {"file", "file"},
});

Json copied(const Json& from) {
  Json record = Json::object();
  for (const Source& source : kFields) {
    if (const auto found = from.find(source.of_volume); found != from.end()) {
      record[source.field] = *found;
    }
  }
  return record;
}

/// False also for what is no boolean: a document may come from another version.
bool flag(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Json list_of(const Json& document, const char* key) {
  Json list = Json::array();
  const auto found = document.find(key);
  if (found == document.end() || !found->is_array()) return list;
  for (const Json& one : *found) {
    if (one.is_object()) list.push_back(one);
  }
  return list;
}

void set_state(Json& record, std::string_view state, const Json& from, const char* reason) {
  record["state"] = state;
  if (const auto found = from.find(reason); found != from.end()) record["reason"] = *found;
}

bool equal(const Json& record, const char* key, std::string_view name) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() &&
         found->get_ref<const std::string&>() == name;
}

}  // namespace

Json vdi_records(const Json& document, bool all) {
  Json records = Json::array();
  for (const Json& volume : list_of(document, "volumes")) {
    Json record = copied(volume);
    set_state(record, flag(volume, "read_only") ? "read-only" : "ok", volume, "read_only_reason");
    records.push_back(std::move(record));
  }
  for (const Json& hidden : list_of(document, "not_shown")) {
    const bool faulty = flag(hidden, "faulty");
    const bool disk = hidden.contains("kind") && !flag(hidden, "base");
    if (!all && !faulty && !disk) continue;
    Json record = copied(hidden);
    set_state(record, faulty ? "broken" : "hidden", hidden, "reason");
    records.push_back(std::move(record));
  }
  return records;
}

Json vdis_named(const Json& records, const std::string& name) {
  Json found = Json::array();
  for (const Json& record : records) {
    if (equal(record, "uuid", lower_case(name)) || equal(record, "label", name) ||
        equal(record, "lv", name) || equal(record, "file", name)) {
      found.push_back(record);
    }
  }
  return found;
}

}  // namespace lunfs::tools
