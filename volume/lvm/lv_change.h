#pragma once

#include <string>

#include "volume/lvm/volume_group.h"

/// What became of an LV when its VG was changed by somebody else. Pure.
namespace lunfs::lvm {

enum class LvFate {
  kSame,     ///< each byte is where it was
  kGrown,    ///< so is each that was there before
  kChanged,  ///< its bytes are elsewhere, or it may be used in another way
  kGone,
};

struct LvChange {
  LvFate fate = LvFate::kSame;
  std::string what{};  ///< of kChanged: the difference, a sentence without its subject
};

/// @param before  the LV, mapped
/// @param now     the LV with its uuid in the VG as it is now; null: there is none
[[nodiscard]] LvChange change_of(const LogicalVolume& before, const LogicalVolume* now);

}  // namespace lunfs::lvm
