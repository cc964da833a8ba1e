#include "volume/lvm/lv_change.h"

#include <fmt/format.h>

namespace lunfs::lvm {

LvChange change_of(const LogicalVolume& before, const LogicalVolume* now) {
  if (now == nullptr) return {.fate = LvFate::kGone};
  if (now->map == nullptr) {
    return {.fate = LvFate::kChanged,
            .what = fmt::format("it cannot be mapped any more: {}", now->unmapped_reason)};
  }
  if (now->map->size_bytes() < before.map->size_bytes()) {
    return {.fate = LvFate::kChanged,
            .what = fmt::format("it has shrunk from {} to {} bytes", before.map->size_bytes(),
                                now->map->size_bytes())};
  }
  if (!now->map->starts_with(*before.map)) {
    return {.fate = LvFate::kChanged, .what = "its data lies on other extents"};
  }
  if (now->writable != before.writable) {
    return {.fate = LvFate::kChanged,
            .what = now->writable ? "it can be written now" : "it is read-only now"};
  }
  if (now->visible != before.visible) {
    return {.fate = LvFate::kChanged,
            .what = now->visible ? "it is a volume of its own now" : "it is a part of another LV"};
  }
  const bool grown = now->map->size_bytes() > before.map->size_bytes();
  return {.fate = grown ? LvFate::kGrown : LvFate::kSame};
}

}  // namespace lunfs::lvm
