#include "volume/vhd/image_head.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/spawn.h"

namespace lunfs::vhd {

namespace {

using Bytes = std::vector<std::byte>;

/// Where every known writer puts the dynamic header: behind the footer's copy, so that one read
/// gets both.
constexpr std::uint64_t kUsualHeaderOffset = kFooterBytes;
constexpr std::uint64_t kStartBytes = kUsualHeaderOffset + kDynamicHeaderBytes;
/// A fixed image ends less than an extent before its LV does; extents are 4 MiB. Searched from the
/// end, a piece at a time.
constexpr std::uint64_t kFixedFooterSearchBytes = 8U << 20U;
constexpr std::uint64_t kSearchPieceBytes = 256U << 10U;
/// The parent's texts follow the tables at once. Others that lie among the blocks belong to writers
/// with ways of their own, and say nothing of where blocks may begin.
constexpr std::uint64_t kLocatorReachBytes = 64U << 10U;
/// The BAT is scanned in pieces of so many entries: 1 MiB.
constexpr std::uint64_t kScanEntries = 256U << 10U;
constexpr std::uint64_t kEntryBytes = sizeof(std::uint32_t);

Task<Bytes> read_bytes(RequestContext& context, BlockDevice& lv, std::uint64_t offset,
                       std::uint64_t length) {
  if (!range_fits(offset, length, lv.geometry().size_bytes)) {
    throw Error(ErrorKind::kCorrupt, fmt::format("needs bytes {} to {} of an LV of {}", offset,
                                                 offset + length, lv.geometry().size_bytes));
  }
  Bytes bytes(length);
  co_await lv.read(context, offset, bytes);
  co_return bytes;
}

Task<void> read_into(RequestContext& context, BlockDevice& lv, std::uint64_t offset, IoSpan out) {
  return lv.read(context, offset, out);
}

/// The first bytes of the LV, which hold footer copy and header, and its last sector.
struct Ends {
  Bytes start;
  Bytes last;
};

Task<Ends> read_ends(RequestContext& context, BlockDevice& lv) {
  const std::uint64_t size = lv.geometry().size_bytes;
  if (size < kStartBytes || size % kSectorBytes != 0) {
    throw Error(ErrorKind::kNotFound, fmt::format("no VHD has room in an LV of {} bytes", size));
  }
  Ends ends{Bytes(kStartBytes), Bytes(kFooterBytes)};
  std::vector<Task<void>> reads;
  reads.push_back(read_into(context, lv, 0, ends.start));
  reads.push_back(read_into(context, lv, size - kFooterBytes, ends.last));
  co_await when_all(std::move(reads));
  co_return ends;
}

Task<FooterChoice> find_footer(RequestContext& context, BlockDevice& lv, const Ends& ends) {
  std::optional<FooterChoice> choice =
      choose_footer(sub_span(ends.start, 0, kFooterBytes), ends.last);
  if (choice) co_return std::move(*choice);
  const std::uint64_t size = lv.geometry().size_bytes;
  const std::uint64_t searched = std::min(size, kFixedFooterSearchBytes);
  for (std::uint64_t end = size; end > size - searched;) {
    const std::uint64_t length = std::min(end - (size - searched), kSearchPieceBytes);
    end -= length;
    const Bytes piece = co_await read_bytes(context, lv, end, length);
    std::optional<Footer> fixed = find_fixed_footer(piece, end);
    if (fixed) co_return FooterChoice{.footer = std::move(*fixed)};
  }
  throw Error(ErrorKind::kNotFound, "no VHD: there is no footer at the LV's start or end");
}

void check_fixed(const Footer& footer, std::uint64_t lv_bytes) {
  if (footer.size_bytes > lv_bytes - kFooterBytes) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("a fixed VHD of {} bytes and its footer need more than the LV's {}",
                            footer.size_bytes, lv_bytes));
  }
}

/// The bytes that the dynamic header was read from.
Task<Bytes> read_header_bytes(RequestContext& context, BlockDevice& lv, const Bytes& start,
                              std::uint64_t offset) {
  if (offset == kUsualHeaderOffset) {
    const ConstByteSpan found = sub_span(start, kUsualHeaderOffset, kDynamicHeaderBytes);
    co_return Bytes(found.begin(), found.end());
  }
  Bytes bytes = co_await read_bytes(context, lv, offset, kDynamicHeaderBytes);
  co_return bytes;
}

std::uint64_t fingerprint_of(const Bytes& start, const Bytes& header) {
  return XXH3_64bits_withSeed(header.data(), header.size(),
                              XXH3_64bits(start.data(), kFooterBytes));
}

/// Without a batmap, or with one that lies astray, the bitmaps tell all that there is to know.
Task<void> add_batmap(RequestContext& context, BlockDevice& lv, ImageHead& head) {
  const std::optional<std::uint64_t> offset = batmap_header_offset(head.footer, head.header);
  const std::uint64_t lv_bytes = lv.geometry().size_bytes;
  if (!offset || !range_fits(*offset, kBatmapHeaderBytes, lv_bytes)) co_return;
  const Bytes sector = co_await read_bytes(context, lv, *offset, kBatmapHeaderBytes);
  std::optional<BatmapHeader> batmap = parse_batmap_header(sector);
  if (!batmap) co_return;
  if (batmap->encrypted) {
    throw Error(ErrorKind::kUnsupported, "the VHD is encrypted: its batmap carries a key's hash");
  }
  if (range_fits(batmap->offset, batmap->length_bytes, lv_bytes)) head.batmap = *batmap;
}

/// Where blocks may begin: behind the header, the BAT, and what follows the BAT.
std::uint64_t metadata_end(const ImageHead& head) {
  const std::uint64_t bat_bytes = std::uint64_t{head.header.bat_entries} * kEntryBytes;
  std::uint64_t end = std::max(
      head.footer.header_offset + kDynamicHeaderBytes,
      checked_add(head.header.bat_offset, align_up(bat_bytes, kSectorBytes, "BAT"), "end of BAT"));
  const auto batmap = batmap_header_offset(head.footer, head.header);
  if (batmap && head.batmap) {
    end = std::max(end, *batmap + kBatmapHeaderBytes);
    if (head.batmap->offset == *batmap + kBatmapHeaderBytes) {
      end = std::max(end, head.batmap->offset + head.batmap->length_bytes);
    }
  }
  const std::uint64_t tables_end = end;
  for (const ParentLocator& locator : head.header.locators) {
    const bool near =
        locator.offset >= tables_end && locator.offset - tables_end <= kLocatorReachBytes;
    if (locator.platform != 0 && near) end = std::max(end, locator.offset + locator.length);
  }
  return end;
}

int rank_of(std::uint32_t platform) noexcept {
  switch (platform) {
    case kPlatformMacX:
      return 0;
    case kPlatformW2ru:
      return 1;
    case kPlatformW2ku:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

Task<ImageHead> read_image_head(RequestContext& context, BlockDevice& lv) {
  const std::uint64_t lv_bytes = lv.geometry().size_bytes;
  const Ends ends = co_await read_ends(context, lv);
  const FooterChoice choice = co_await find_footer(context, lv, ends);
  ImageHead head;
  head.footer = choice.footer;
  head.in_use = choice.in_use;
  head.copies_differ = choice.copies_differ;
  if (head.fixed()) {
    check_fixed(head.footer, lv_bytes);
    co_return head;
  }
  const Bytes header =
      co_await read_header_bytes(context, lv, ends.start, head.footer.header_offset);
  head.header = parse_dynamic_header(header);
  head.fingerprint = fingerprint_of(ends.start, header);
  co_await add_batmap(context, lv, head);
  head.layout = make_layout(head.footer, head.header, lv_bytes, metadata_end(head), choice.at_end);
  co_return head;
}

Task<std::uint64_t> read_fingerprint(RequestContext& context, BlockDevice& lv,
                                     const ImageHead& head) {
  if (head.fixed()) co_return head.fingerprint;
  const Bytes start = co_await read_bytes(context, lv, 0, kStartBytes);
  const Bytes header = co_await read_header_bytes(context, lv, start, head.footer.header_offset);
  co_return fingerprint_of(start, header);
}

Task<std::vector<std::string>> read_parent_names(RequestContext& context, BlockDevice& lv,
                                                 const ImageHead& head) {
  std::vector<ParentLocator> locators;
  for (const ParentLocator& locator : head.header.locators) {
    const bool here =
        range_fits<std::uint64_t>(locator.offset, locator.length, lv.geometry().size_bytes);
    if (locator.platform != 0 && here) locators.push_back(locator);
  }
  std::stable_sort(locators.begin(), locators.end(), [](const auto& a, const auto& b) {
    return rank_of(a.platform) < rank_of(b.platform);
  });
  std::vector<std::string> names;
  for (const ParentLocator& locator : locators) {
    const Bytes bytes = co_await read_bytes(context, lv, locator.offset, locator.length);
    std::string name = lv_name_of_parent(locator_text(locator.platform, bytes));
    if (!name.empty()) names.push_back(std::move(name));
  }
  co_return names;
}

Task<BlockSet> scan_bat(RequestContext& context, BlockDevice& lv, const ImageHead& head) {
  const Layout& layout = head.layout;
  BlockSet blocks((layout.block_count + 7) / 8);
  std::vector<std::uint32_t> sectors;
  for (std::uint64_t first = 0; first < layout.block_count; first += kScanEntries) {
    const std::uint64_t count = std::min(kScanEntries, layout.block_count - first);
    const Bytes bytes = co_await read_bytes(context, lv, layout.bat_offset + first * kEntryBytes,
                                            count * kEntryBytes);
    const Bat bat(layout, first, bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (bat.sectors()[i] == kNotAllocated) continue;
      const std::uint64_t block = first + i;
      blocks[block / 8] |= std::byte{0x80} >> static_cast<int>(block % 8);
      sectors.push_back(bat.sectors()[i]);
    }
  }
  check_overlaps(layout, sectors);
  co_return blocks;
}

}  // namespace lunfs::vhd
