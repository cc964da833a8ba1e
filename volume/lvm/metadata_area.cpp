#include "volume/lvm/metadata_area.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

constexpr std::string_view kMagic = " LVM2 x[5A%r0N*>";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kSlotsAt = 40;
constexpr std::uint64_t kSlotBytes = 24;
constexpr std::uint32_t kIgnoredFlag = 1;

Error corrupt(const std::string& what) { return {ErrorKind::kCorrupt, what}; }

void check_identity(ConstByteSpan sector, const DiskArea& area) {
  const auto stored = load_le<std::uint32_t>(sector, 0);
  const std::uint32_t computed = crc(sector.subspan(4, kAreaHeaderBytes - 4));
  if (stored != computed) {
    throw corrupt(
        fmt::format("the header's CRC is {:#010x}, its bytes have {:#010x}", stored, computed));
  }
  if (as_text(sector.subspan(4, kMagic.size())) != kMagic) {
    throw corrupt(fmt::format("the header's magic is \"{}\", expected \"{}\"",
                              printable(as_text(sector.subspan(4, kMagic.size()))), kMagic));
  }
  const auto version = load_le<std::uint32_t>(sector, 20);
  if (version != kVersion) {
    throw corrupt(fmt::format("the header's version is {}, expected {}", version, kVersion));
  }
  const auto start = load_le<std::uint64_t>(sector, 24);
  if (start != area.offset) {
    throw corrupt(
        fmt::format("the header says that it starts at {}, expected {}", start, area.offset));
  }
}

void check_place(const DiskArea& area, std::uint64_t device_bytes) {
  if (area.size < 2 * kAreaHeaderBytes) {
    throw corrupt(
        fmt::format("its size is {}, expected at least {}", area.size, 2 * kAreaHeaderBytes));
  }
  if (!range_fits(area.offset, area.size, device_bytes)) {
    throw corrupt(
        fmt::format("its {} bytes reach beyond the LUN's end at {}", area.size, device_bytes))
        .because("the LUN or its image was cut");
  }
}

void check_location(const DiskArea& area, const TextLocation& text) {
  if (text.offset < kAreaHeaderBytes || text.offset >= area.size) {
    throw corrupt(fmt::format("the text's offset is {}, expected {} to {}", text.offset,
                              kAreaHeaderBytes, area.size - 1));
  }
  if (text.size == 0 || text.size > area.size - kAreaHeaderBytes) {
    throw corrupt(fmt::format("the text's size is {}, expected 1 to {}", text.size,
                              area.size - kAreaHeaderBytes));
  }
  if (text.size > kMaxTextBytes) {
    throw Error(ErrorKind::kUnsupported, fmt::format("the text's size is {}, lunfs reads up to {}",
                                                     text.size, kMaxTextBytes));
  }
}

}  // namespace

AreaHeader parse_area_header(ConstByteSpan sector, const DiskArea& area,
                             std::uint64_t device_bytes) {
  sector = sub_span(sector, 0, kAreaHeaderBytes);
  check_identity(sector, area);
  AreaHeader header;
  header.area = {area.offset, load_le<std::uint64_t>(sector, 32)};
  check_place(header.area, device_bytes);
  if (header.area.size != area.size) {
    header.warnings.push_back(
        fmt::format("metadata area at {}: its header says {} bytes, the label {}", area.offset,
                    header.area.size, area.size));
  }
  const ConstByteSpan second = sector.subspan(kSlotsAt + kSlotBytes, kSlotBytes);
  header.precommitted = !all_zero(second.first(16));
  if (header.precommitted) {
    header.warnings.push_back(
        fmt::format("metadata area at {}: a commit is under way or has crashed (slot 1 is in use)",
                    area.offset));
  }
  const ConstByteSpan first = sector.subspan(kSlotsAt, kSlotBytes);
  header.ignored = (load_le<std::uint32_t>(first, 20) & kIgnoredFlag) != 0;
  if (header.ignored || all_zero(first.first(16))) return header;
  header.committed = TextLocation{.offset = load_le<std::uint64_t>(first, 0),
                                  .size = load_le<std::uint64_t>(first, 8),
                                  .crc = load_le<std::uint32_t>(first, 16)};
  check_location(header.area, *header.committed);
  return header;
}

std::vector<DiskArea> text_runs(const AreaHeader& header) {
  const TextLocation& text = header.committed.value();
  const std::uint64_t to_end = header.area.size - text.offset;
  const std::uint64_t first = std::min(text.size, to_end);
  std::vector<DiskArea> runs{{header.area.offset + text.offset, first}};
  if (first < text.size) {
    runs.push_back({header.area.offset + kAreaHeaderBytes, text.size - first});
  }
  return runs;
}

std::string_view checked_text(ConstByteSpan bytes, const TextLocation& location) {
  const std::uint32_t computed = crc(bytes);
  if (computed != location.crc) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the metadata text's CRC is {:#010x}, its {} bytes have {:#010x}",
                            location.crc, bytes.size(), computed));
  }
  std::string_view text = as_text(bytes);
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return text;
}

}  // namespace lunfs::lvm
