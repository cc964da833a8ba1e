#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "volume/vhd/bat.h"
#include "volume/vhd/batmap.h"
#include "volume/vhd/checksum.h"
#include "volume/vhd/sector_runs.h"

using namespace lunfs;
using namespace lunfs::vhd;

namespace {

/// Cuts the input into the parts of an image; throws Error when it is used up.
class Parts {
 public:
  explicit Parts(ConstByteSpan bytes) : rest_(bytes) {}

  ConstByteSpan take(std::uint64_t length) {
    const ConstByteSpan part = sub_span(rest_, 0, length);
    rest_ = rest_.subspan(length);
    return part;
  }
  std::uint64_t number() { return load_be<std::uint64_t>(take(8), 0); }
  std::vector<std::byte> sealed(std::uint64_t length, std::uint64_t checksum_at) {
    const ConstByteSpan part = take(length);
    std::vector<std::byte> copy(part.begin(), part.end());
    store_be(ByteSpan(copy), checksum_at, checksum_of(copy, checksum_at));
    return copy;
  }
  [[nodiscard]] ConstByteSpan rest() const { return rest_; }

 private:
  ConstByteSpan rest_;
};

void check_places(const Layout& layout, const Bat& bat, std::uint64_t lv_bytes) {
  std::vector<std::uint32_t> allocated;
  for (std::uint64_t block = bat.first_block(); block < bat.first_block() + bat.count(); ++block) {
    if (block >= layout.block_count) __builtin_trap();
    const Bat::Place place = bat.locate(block);
    if (!place.allocated) continue;
    if (place.bitmap_offset < layout.metadata_end) __builtin_trap();
    if (place.data_offset != place.bitmap_offset + layout.bitmap_bytes) __builtin_trap();
    if (!range_fits(place.data_offset, layout.block_bytes, lv_bytes)) __builtin_trap();
    allocated.push_back(bat.sectors()[block - bat.first_block()]);
  }
  check_overlaps(layout, allocated);
  for (std::size_t i = 1; i < allocated.size(); ++i) {
    const std::uint64_t sectors = allocated[i] - allocated[i - 1];
    if (sectors * kSectorBytes < layout.bitmap_bytes + layout.block_bytes) __builtin_trap();
  }
}

void check_runs(ConstByteSpan bitmap, std::uint64_t offset, std::uint64_t length) {
  std::uint64_t at = offset;
  std::optional<bool> before;
  for (const SectorRun& run : sector_runs(bitmap, offset, length)) {
    if (run.offset != at || run.length == 0 || before == run.stored) __builtin_trap();
    if (test_bit(bitmap, at / kSectorBytes) != run.stored) __builtin_trap();
    at += run.length;
    if (test_bit(bitmap, (at - 1) / kSectorBytes) != run.stored) __builtin_trap();
    before = run.stored;
  }
  if (at != offset + length) __builtin_trap();
}

void check_batmap(const Footer& footer, const DynamicHeader& header, ConstByteSpan bytes) {
  (void)batmap_header_offset(footer, header);
  const auto batmap = parse_batmap_header(bytes);
  if (!batmap) return;
  if (batmap->length_bytes == 0 && !batmap->encrypted) __builtin_trap();
  if (batmap_checked_bytes(footer.size_bytes) % kSectorBytes != 0) __builtin_trap();
  if (batmap_is_good(*batmap, bytes) && bytes.size() > batmap->length_bytes) __builtin_trap();
}

void read_tables(Parts parts) {
  const std::uint64_t lv_bytes = parts.number();
  const std::uint64_t metadata_end = parts.number();
  const std::uint64_t first_block = parts.number();
  const std::uint64_t offset = parts.number() % kMaxBlockBytes;
  const std::uint64_t length = parts.number() % (kMaxBlockBytes - offset + 1);
  const bool at_end = parts.take(1)[0] != std::byte{0};
  const Footer footer = parse_footer(parts.sealed(kFooterBytes, 64));
  const DynamicHeader header = parse_dynamic_header(parts.sealed(kDynamicHeaderBytes, 36));
  check_batmap(footer, header, parts.take(kBatmapHeaderBytes));
  check_runs(parts.take(kSectorBytes), offset, length);

  const Layout layout = make_layout(footer, header, lv_bytes, metadata_end, at_end);
  if (layout.metadata_end < layout.bat_offset + 4 * layout.block_count) __builtin_trap();
  if (layout.blocks_end > lv_bytes || layout.metadata_end > layout.blocks_end) __builtin_trap();
  if (layout.block_count * layout.block_bytes < layout.size_bytes) __builtin_trap();
  check_places(layout, Bat(layout, first_block, parts.rest()), lv_bytes);
}

}  // namespace

/// The numbers of an LV, a footer, a header, a batmap's header, a bitmap, and entries of the BAT.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    read_tables(Parts(std::as_bytes(std::span(data, size))));
  } catch (const Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
  return 0;
}
