#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "volume/vhd/bat.h"
#include "volume/vhd/batmap.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/footer.h"

/// What one look at a VHD tells, without its tables. Source: docs/formats/vhd.md.
namespace lunfs::vhd {

/// The head of an image; an immutable value. For a fixed VHD `header`, `layout` and `batmap` mean
/// nothing: the disk's bytes begin at 0.
struct ImageHead {
  Footer footer;
  bool in_use = false;         ///< see FooterChoice
  bool copies_differ = false;  ///< see FooterChoice
  DynamicHeader header;
  Layout layout;
  std::optional<BatmapHeader> batmap;  ///< nullopt: every bitmap is read
  /// XXH3 of what was read of footer and header: another value means another image, or the same
  /// one after a change of size, parent or `hidden`.
  std::uint64_t fingerprint = 0;

  [[nodiscard]] bool fixed() const noexcept { return footer.type == DiskType::kFixed; }
  [[nodiscard]] bool differencing() const noexcept {
    return footer.type == DiskType::kDifferencing;
  }
  /// A differencing image on a raw LV.
  [[nodiscard]] bool on_raw_parent() const noexcept {
    return differencing() && header.parent_uuid.is_nil();
  }
};

/// Reads the head of the image that fills `lv` (byte-granular): a few small reads.
/// Errors: kNotFound if there is no VHD at all; kCorrupt, kUnsupported (encrypted, tap 0.1, too
/// many blocks), kBusy (a resize was begun and not ended); those of `lv`.
Task<ImageHead> read_image_head(RequestContext& context, BlockDevice& lv);

/// The fingerprint as it is now, by the same reads that ImageHead::fingerprint was made from; for
/// noticing a change. Never throws for what it finds, only errors of `lv`.
Task<std::uint64_t> read_fingerprint(RequestContext& context, BlockDevice& lv,
                                     const ImageHead& head);

/// LV names that the locators give for the parent, best first (MacX, W2ru, others); for images
/// whose header names none that exists. Unreadable locators are left out; errors of `lv` are
/// thrown.
Task<std::vector<std::string>> read_parent_names(RequestContext& context, BlockDevice& lv,
                                                 const ImageHead& head);

/// Which blocks an image holds: bit i = block i, the most significant of a byte first.
using BlockSet = std::vector<std::byte>;

/// Reads the whole BAT in pieces, checks every entry and that no blocks share bytes.
/// @return the blocks that it holds. Errors: kCorrupt, with the block's number; those of `lv`.
Task<BlockSet> scan_bat(RequestContext& context, BlockDevice& lv, const ImageHead& head);

}  // namespace lunfs::vhd
