#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_device.h"
#include "volume/lvm/label.h"
#include "volume/lvm/text_tree.h"
#include "volume/lvm/vg_text.h"
#include "volume/lvm/volume_group.h"

/// Small PVs in memory, written by hand: every byte is a test's to choose.
namespace lunfs::lvm::testing {

using Bytes = std::vector<std::byte>;

inline constexpr std::string_view kPvUuid = "PvPvPv-0000-1111-2222-3333-4444-555555";
inline constexpr std::string_view kPvUuidChars = "PvPvPv00001111222233334444555555";

/// The usual small PV: metadata area at 4096, extents of 64 KiB from 1 MiB on.
inline constexpr std::uint64_t kLunBytes = 8ULL << 20;
inline constexpr std::uint64_t kPeStart = 1ULL << 20;
inline constexpr std::uint64_t kExtentBytes = 64ULL << 10;
inline constexpr std::uint64_t kPeCount = 112;
inline constexpr DiskArea kArea{4096, 65536};
inline constexpr DiskArea kSecondArea{kLunBytes - 65536, 65536};

/// `text` with the first `from` replaced; throws if it does not occur.
[[nodiscard]] std::string replaced(std::string_view text, std::string_view from,
                                   std::string_view to);

/// A segment's section; `rest` are its further lines.
[[nodiscard]] std::string segment(int number, std::uint64_t start, std::uint64_t extents,
                                  std::string_view rest);
/// The same for a linear one on physical extent `pe`.
[[nodiscard]] std::string linear(int number, std::uint64_t start, std::uint64_t extents,
                                 std::uint64_t pe);
/// An LV's section around its segments; the uuid is made from `name`.
[[nodiscard]] std::string lv(std::string_view name, int segment_count, std::string_view segments);

/// A VG's text around its LVs: vg0, seqno 7, one PV "pv0" of the usual shape.
[[nodiscard]] std::string vg_text(std::string_view lvs);
/// Two LVs: "a" = extents 0 to 3 and 10 to 11, "b" = 4 to 7.
[[nodiscard]] std::string usual_text();

/// What `text` means on the usual PV.
[[nodiscard]] VolumeGroup parsed(std::string_view text);

/// Writes the label and the PV header into sector 1.
void put_label(Bytes& image, const std::vector<DiskArea>& metadata_areas);
/// Makes the CRC of the label in `sector` right again.
void fix_label(Bytes& image, std::uint64_t sector = 1);

struct Slot {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  std::uint32_t flags = 0;
};
void put_header(Bytes& image, const DiskArea& area, const Slot& committed, const Slot& next = {});
/// Makes the CRC of the header at `start` right again.
void fix_header(Bytes& image, std::uint64_t start);
/// Writes the text with its NUL at `offset` of the area's ring and a header that commits it.
void put_text(Bytes& image, const DiskArea& area, std::string_view text,
              std::uint64_t offset = 512);

/// A LUN with one metadata area that holds `text`.
[[nodiscard]] Bytes usual_image(std::string_view text);

/// Reads the VG from a device, with a deadline.
[[nodiscard]] std::shared_ptr<const VolumeGroup> read_vg(BlockDevice& device);
[[nodiscard]] std::shared_ptr<const VolumeGroup> read_vg(Bytes image);

/// The LUN image NAME.img.xz of tests/data.
[[nodiscard]] Bytes golden(std::string_view name);
[[nodiscard]] std::string golden_file(std::string_view name);

}  // namespace lunfs::lvm::testing
