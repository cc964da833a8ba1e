#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "volume/lvm/metadata_area.h"
#include "volume/lvm/names.h"
#include "volume/lvm/vg_text.h"

namespace {

using lunfs::lvm::DiskArea;
using lunfs::lvm::LogicalVolume;
using lunfs::lvm::PvFacts;

constexpr std::uint64_t kLunBytes = 64ULL << 20;
/// The seeds' PV.
constexpr std::string_view kPvUuid = "PvPvPv-0000-1111-2222-3333-4444-555555";

/// A mapped LV must have a plain name, and no byte of it may lie outside of the LUN or on LVM's
/// own.
void check(const LogicalVolume& lv, const PvFacts& pv) {
  if ((lv.map == nullptr) == lv.unmapped_reason.empty()) __builtin_trap();
  if (lv.map == nullptr) return;
  if (!lunfs::lvm::is_valid_name(lv.name) || lv.size_bytes != lv.map->size_bytes()) {
    __builtin_trap();
  }
  const std::uint64_t size = lv.map->size_bytes();
  // Stripes make many pieces; both ends are where an error would show.
  const std::uint64_t look = std::min<std::uint64_t>(size, 4ULL << 20);
  for (const std::uint64_t offset : {std::uint64_t{0}, size - look}) {
    for (const lunfs::lvm::Piece& piece : lv.map->locate(offset, look)) {
      if (piece.lun_offset + piece.length > pv.lun_bytes) __builtin_trap();
      for (const DiskArea& area : pv.reserved) {
        if (piece.lun_offset < area.offset + area.size &&
            area.offset < piece.lun_offset + piece.length) {
          __builtin_trap();
        }
      }
    }
  }
}

}  // namespace

/// Any bytes as a VG's text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = lunfs::as_text(std::as_bytes(std::span(data, size)));
  const PvFacts pv{lunfs::LvmUuid::parse(kPvUuid).value(), kLunBytes, {{0, 2048}, {4096, 65536}}};
  try {
    const auto vg = lunfs::lvm::to_volume_group(lunfs::lvm::TextTree::parse(text), pv);
    if (vg.free_extent_count > vg.extent_count) __builtin_trap();
    for (const LogicalVolume& lv : vg.volumes) check(lv, pv);
  } catch (const lunfs::Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
  return 0;
}
