#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/uuid.h"

/// The footer of a VHD: 512 bytes at the image's end, and a copy at its start. Pure; no I/O.
/// All numbers are big-endian on disk. Source: docs/formats/vhd.md, footer.
namespace lunfs::vhd {

/// The VHD's unit of addresses, whatever the LUN's block is.
inline constexpr std::uint64_t kSectorBytes = 512;
inline constexpr std::uint64_t kFooterBytes = 512;
/// No VHD is larger: the format's BAT counts sectors in 32 bits.
inline constexpr std::uint64_t kMaxSizeBytes = 2ULL << 40U;

enum class DiskType : std::uint32_t { kFixed = 2, kDynamic = 3, kDifferencing = 4 };

/// A footer whose every field is good.
struct Footer {
  DiskType type = DiskType::kDynamic;
  std::uint64_t header_offset = 0;  ///< bytes; where the dynamic header is; not of kFixed
  std::uint64_t size_bytes = 0;     ///< the disk's, as its guest sees it; whole sectors, not 0
  Uuid uuid;                        ///< the image's own, not the VDI's
  bool hidden = false;              ///< a base copy, or waste
  /// Four characters; trailing NULs and blanks left out, '.' for what cannot be shown.
  std::string creator;
  std::uint32_t creator_version = 0;

  /// Made by tapdisk's library (creator "tap"): only these have a batmap.
  [[nodiscard]] bool by_tap() const noexcept { return creator == "tap"; }
};

/// Reads one footer of kFooterBytes.
/// Errors: kCorrupt (cookie, checksum, size, place of the header: what was found and expected; a
/// hidden image of tap 0.1 or 1.1 may carry the checksum of hidden = 0); kUnsupported for what a
/// right checksum says was meant (version, tap 0.1, a type that is not here, more than
/// kMaxSizeBytes); kBusy if a resize has been begun and not ended (cookie "v_poison").
/// Features, creator and reserved bits are nobody's ground for refusal.
[[nodiscard]] Footer parse_footer(ConstByteSpan sector);

/// The footer that counts, of the two places.
struct FooterChoice {
  Footer footer;
  bool at_end = false;  ///< the one at the end is good, so the last sector is no block's
  /// The last sector is all 0xC7: a host has the image open for writing since a pause, or died.
  bool in_use = false;
  /// Both are good and differ in size or in `hidden`: a crash between the two writes; or in the
  /// uuid: the end's is what a removed image left there.
  bool copies_differ = false;
};

/// Chooses by the rules of the format page: the end's if good, else the copy; but the copy if both
/// are good and have different uuids. A fixed image has no copy: one of that type at the start
/// counts as none, and a good copy with a fixed end is kCorrupt. Poison at either place is kBusy.
/// nullopt if neither place has anything like a footer; if one has a damaged one and the other is
/// no better, its error is thrown, the end's first.
/// @param first  the image's first sector; @param last  its last
[[nodiscard]] std::optional<FooterChoice> choose_footer(ConstByteSpan first, ConstByteSpan last);

/// The footer of a fixed VHD in an LV larger than the image, whose place only its own words tell:
/// the last sector in `tail` that is a good footer of type fixed, and whose size is its offset.
/// @param tail  whole sectors that end where the LV ends
/// @param tail_offset  bytes from the LV's start to `tail`
[[nodiscard]] std::optional<Footer> find_fixed_footer(ConstByteSpan tail,
                                                      std::uint64_t tail_offset);

}  // namespace lunfs::vhd
