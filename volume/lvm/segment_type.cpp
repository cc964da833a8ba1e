#include "volume/lvm/segment_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

struct KnownType {
  std::string_view type;
  std::string_view meaning;
};

constexpr std::array kKnownTypes{
    KnownType{"mirror", "a mirror, or extents that pvmove moves"},
    KnownType{"snapshot", "a copy-on-write snapshot"},
    KnownType{"thin-pool", "a pool of thin volumes"},
    KnownType{"thin", "a thin volume"},
    KnownType{"cache-pool", "a cache"},
    KnownType{"cache", "a cached volume"},
    KnownType{"writecache", "a volume with a write cache"},
    KnownType{"integrity", "a volume with integrity data"},
    KnownType{"vdo-pool", "a pool of deduplicated volumes"},
    KnownType{"vdo", "a deduplicated volume"},
    KnownType{"zero", "reads as zeros"},
    KnownType{"error", "every access fails"},
};

/// raid1, raid5_ls, raid10_near, ...: one family, all built on sub-LVs.
constexpr std::string_view kRaidPrefix = "raid";

constexpr std::array<std::string_view, 20> kLvKeys{
    "stripes",   "mirrors",    "mirror_log",    "raids",           "raid0_lvs",
    "origin",    "cow_store",  "merging_store", "merge",           "data",
    "metadata",  "pool",       "thin_pool",     "external_origin", "cache_pool",
    "cache_vol", "writecache", "meta_dev",      "vdo_pool",        "log"};

std::string_view meaning_of(std::string_view type) noexcept {
  if (type.starts_with(kRaidPrefix)) return "RAID";
  const auto* known = std::find_if(kKnownTypes.begin(), kKnownTypes.end(),
                                   [&](const KnownType& each) { return each.type == type; });
  return known == kKnownTypes.end() ? std::string_view() : known->meaning;
}

std::string_view without_flags(std::string_view type) noexcept {
  return type.substr(0, type.find('+'));
}

}  // namespace

std::string refusal_of_type(std::string_view type) {
  if (type == kMappedType) return {};
  const std::string_view meaning = meaning_of(without_flags(type));
  if (!meaning.empty()) {
    return fmt::format("type \"{}\" ({}) is not mapped", printable(type), meaning);
  }
  if (without_flags(type) == kMappedType) {
    return fmt::format("type \"{}\" has a flag that lunfs does not know", printable(type));
  }
  return fmt::format("type \"{}\" is unknown", printable(type));
}

bool may_name_lv(std::string_view type, std::string_view key) noexcept {
  if (key == "type" || key == "tags") return false;
  const bool known = type == kMappedType || !meaning_of(without_flags(type)).empty();
  return !known || std::find(kLvKeys.begin(), kLvKeys.end(), key) != kLvKeys.end();
}

}  // namespace lunfs::lvm
