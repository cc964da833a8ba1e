#include "volume/lvm/label.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/error.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

constexpr std::string_view kLabelId = "LABELONE";
constexpr std::string_view kLabelType = "LVM2 001";
constexpr std::uint64_t kLabelHeaderBytes = 32;
constexpr std::uint64_t kCrcFrom = 20;
constexpr std::uint64_t kPvHeaderBytes = 40;
constexpr std::uint64_t kAreaEntryBytes = 16;
constexpr std::uint32_t kInUseFlag = 1;

/// What is wrong with the label in `sector`, or nothing.
std::string label_defect(ConstByteSpan sector, std::uint64_t number) {
  const auto stored = load_le<std::uint32_t>(sector, 16);
  const std::uint32_t computed = crc(sector.subspan(kCrcFrom));
  if (stored != computed) {
    return fmt::format("label in sector {}: its CRC is {:#010x}, its bytes have {:#010x}", number,
                       stored, computed);
  }
  const auto own_number = load_le<std::uint64_t>(sector, 8);
  if (own_number != number) {
    return fmt::format("label in sector {}: says that it is in sector {}", number, own_number);
  }
  const std::string_view type = as_text(sector.subspan(24, 8));
  if (type != kLabelType) {
    return fmt::format("label in sector {}: type is \"{}\", expected \"{}\"", number,
                       printable(type), kLabelType);
  }
  return {};
}

Error damaged(std::string what) {
  return Error(ErrorKind::kCorrupt, std::move(what))
      .because(
          "something else than LVM wrote over the LUN's first sectors, or the storage damaged "
          "them")
      .advise(
          "pvck --repairtype label_header (lvm2) rewrites a label; save the LUN's first MiB "
          "before");
}

/// Reads a list of areas that ends with offset 0; moves `place` behind it.
std::vector<DiskArea> read_areas(ConstByteSpan sector, std::uint64_t& place,
                                 std::string_view what) {
  std::vector<DiskArea> areas;
  for (;; place += kAreaEntryBytes) {
    if (!range_fits<std::uint64_t>(place, kAreaEntryBytes, sector.size())) {
      throw damaged(
          fmt::format("PV header: the list of {} areas does not end in the label's sector "
                      "({} entries)",
                      what, areas.size()));
    }
    const DiskArea area{load_le<std::uint64_t>(sector, place),
                        load_le<std::uint64_t>(sector, place + 8)};
    if (area.offset == 0) break;
    areas.push_back(area);
  }
  place += kAreaEntryBytes;
  return areas;
}

PvLabel parse_pv_header(ConstByteSpan sector, std::uint64_t number) {
  const auto header = load_le<std::uint32_t>(sector, 20);
  if (header < kLabelHeaderBytes ||
      !range_fits<std::uint64_t>(header, kPvHeaderBytes, kSectorBytes)) {
    throw damaged(fmt::format("label in sector {}: the PV header's offset is {}, expected {} to {}",
                              number, header, kLabelHeaderBytes, kSectorBytes - kPvHeaderBytes));
  }
  const std::string_view uuid_text = as_text(sector.subspan(header, LvmUuid::kLength));
  const std::optional<LvmUuid> uuid = LvmUuid::parse(uuid_text);
  if (!uuid) {
    throw damaged(fmt::format("PV header: \"{}\" is not an LVM uuid", printable(uuid_text)));
  }
  PvLabel label{.sector = number, .pv_uuid = *uuid};
  label.device_size = load_le<std::uint64_t>(sector, header + LvmUuid::kLength);
  std::uint64_t place = header + kPvHeaderBytes;
  label.data_areas = read_areas(sector, place, "data");
  label.metadata_areas = read_areas(sector, place, "metadata");
  // PVs of old lvm2 have no extension: zeros follow, or the sector ends.
  if (!range_fits<std::uint64_t>(place, 8, sector.size())) return label;
  label.extension_version = load_le<std::uint32_t>(sector, place);
  if (label.extension_version == 0) return label;
  const auto flags = load_le<std::uint32_t>(sector, place + 4);
  label.in_use = label.extension_version >= 2 && (flags & kInUseFlag) != 0;
  place += 8;
  label.bootloader_areas = read_areas(sector, place, "bootloader");
  return label;
}

/// Guesses from the first bytes what the LUN holds instead.
std::string what_else(ConstByteSpan bytes) {
  if (all_zero(bytes)) return "its first 2048 bytes are zeros: the LUN looks empty";
  if (as_text(bytes.subspan(kSectorBytes, 8)) == "EFI PART") {
    return "it has a GPT partition table: the PV may be one of the partitions";
  }
  if (load_le<std::uint16_t>(bytes, 510) == 0xaa55) {
    return "it starts with a boot sector or an MBR partition table: the PV may be a partition";
  }
  return "it was never made a PV, or its first sectors were overwritten";
}

}  // namespace

PvLabel parse_label(ConstByteSpan first_sectors) {
  const ConstByteSpan bytes = sub_span(first_sectors, 0, kLabelScanBytes);
  std::optional<PvLabel> found;
  std::vector<std::string> oddities;
  for (std::uint64_t number = 0; number < kLabelScanBytes / kSectorBytes; ++number) {
    const ConstByteSpan sector = bytes.subspan(number * kSectorBytes, kSectorBytes);
    if (as_text(sector.first(kLabelId.size())) != kLabelId) continue;
    std::string defect = label_defect(sector, number);
    if (!defect.empty()) {
      oddities.push_back(std::move(defect));
    } else if (found) {
      oddities.push_back(fmt::format("label in sector {}: a second one, ignored", number));
    } else {
      found = parse_pv_header(sector, number);
    }
  }
  if (found) {
    found->warnings = std::move(oddities);
    return *std::move(found);
  }
  if (oddities.empty()) {
    throw Error(ErrorKind::kNotFound, "not a PV: no LVM label in sectors 0 to 3")
        .because(what_else(bytes))
        .advise("check with pvck(8) that this is the right LUN");
  }
  throw damaged(fmt::format("the PV's label is damaged: {}", fmt::join(oddities, "; ")));
}

}  // namespace lunfs::lvm
