#include "tests/support/vhd_builder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/vhd_structures.h"

namespace lunfs::testing {

namespace {

constexpr std::uint64_t kHeaderBytes = 1024;
constexpr std::uint32_t kDynamic = 3;
constexpr std::uint32_t kDifferencing = 4;
/// Where hosts let a block's data begin.
constexpr std::uint64_t kDataAlignment = 4096;

std::uint64_t up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

std::byte mask_of(std::uint64_t bit) { return std::byte{0x80} >> static_cast<int>(bit % 8); }

void put(ByteSpan image, std::uint64_t offset, ConstByteSpan bytes) {
  if (!range_fits<std::uint64_t>(offset, bytes.size(), image.size())) {
    throw std::logic_error("the image does not fit its LV");
  }
  std::copy(bytes.begin(), bytes.end(), image.subspan(offset).begin());
}

}  // namespace

bool VhdBuilder::Block::complete(std::uint64_t sectors) const {
  for (std::uint64_t i = 0; i < sectors; ++i) {
    if ((bitmap[i / 8] & mask_of(i)) == std::byte{0}) return false;
  }
  return true;
}

VhdBuilder::VhdBuilder(VhdShape shape) : shape_(std::move(shape)) {}

std::uint64_t VhdBuilder::block_count() const noexcept {
  return up(shape_.size_bytes, shape_.block_bytes) / shape_.block_bytes;
}

std::uint64_t VhdBuilder::sectors_per_block() const noexcept {
  return shape_.block_bytes / kVhdSector;
}

std::uint64_t VhdBuilder::bitmap_bytes() const noexcept {
  return up(up(sectors_per_block(), 8) / 8, kVhdSector);
}

std::uint32_t VhdBuilder::bat_entries() const noexcept {
  return shape_.bat_entries != 0 ? shape_.bat_entries : static_cast<std::uint32_t>(block_count());
}

std::uint64_t VhdBuilder::batmap_bytes() const noexcept {
  return up(up(bat_entries(), 8) / 8, kVhdSector);
}

std::uint64_t VhdBuilder::bat_offset() const noexcept {
  const std::uint64_t after_header = shape_.header_offset + kHeaderBytes;
  return after_header + (shape_.locators_before_bat ? kVhdLocators * kVhdSector : 0);
}

std::uint64_t VhdBuilder::batmap_header_offset() const noexcept {
  return bat_offset() + up(std::uint64_t{4} * bat_entries(), kVhdSector);
}

std::uint64_t VhdBuilder::locators_offset() const noexcept {
  if (shape_.locators_before_bat) return shape_.header_offset + kHeaderBytes;
  const bool has_batmap = shape_.batmap != VhdShape::Batmap::kNone;
  return batmap_header_offset() + (has_batmap ? kVhdSector + batmap_bytes() : 0);
}

std::uint64_t VhdBuilder::metadata_end() const noexcept {
  std::uint64_t end = batmap_header_offset();
  // The place of a header that says "none" must not be taken for a block by those who look there.
  if (shape_.creator.starts_with("tap")) end += kVhdSector;
  if (shape_.batmap != VhdShape::Batmap::kNone) end += batmap_bytes();
  if (shape_.parent) end = std::max(end, locators_offset() + kVhdLocators * kVhdSector);
  return end;
}

VhdBuilder::Block& VhdBuilder::touch(std::uint64_t block) {
  if (block >= block_count()) throw std::logic_error("the disk has no such block");
  const auto [place, fresh] = blocks_.try_emplace(block);
  if (fresh) {
    order_.push_back(block);
    place->second.bitmap.resize(bitmap_bytes());
    place->second.data.resize(shape_.block_bytes, shape_.stale);
  }
  return place->second;
}

void VhdBuilder::allocate(std::uint64_t block) { touch(block); }

void VhdBuilder::store(std::uint64_t sector, ConstByteSpan data) {
  put_stale(sector, data);
  for (std::uint64_t end = sector + data.size() / kVhdSector; sector < end; ++sector) {
    const std::uint64_t bit = sector % sectors_per_block();
    touch(sector / sectors_per_block()).bitmap[bit / 8] |= mask_of(bit);
  }
}

void VhdBuilder::put_stale(std::uint64_t sector, ConstByteSpan data) {
  while (!data.empty()) {
    const std::uint64_t inside = sector % sectors_per_block() * kVhdSector;
    const ConstByteSpan piece =
        data.first(std::min<std::uint64_t>(data.size(), shape_.block_bytes - inside));
    put(touch(sector / sectors_per_block()).data, inside, piece);
    sector += piece.size() / kVhdSector;
    data = data.subspan(piece.size());
  }
}

std::map<std::uint64_t, std::uint64_t> VhdBuilder::places() const {
  std::map<std::uint64_t, std::uint64_t> out;
  std::uint64_t next = metadata_end();
  for (const std::uint64_t block : order_) {
    if (!shape_.packed) next = up(next + bitmap_bytes(), kDataAlignment) - bitmap_bytes();
    out[block] = next;
    next += bitmap_bytes() + shape_.block_bytes;
  }
  return out;
}

std::optional<std::uint64_t> VhdBuilder::bitmap_offset(std::uint64_t block) const {
  const auto all = places();
  const auto found = all.find(block);
  if (found == all.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> VhdBuilder::data_offset(std::uint64_t block) const {
  const auto bitmap = bitmap_offset(block);
  if (!bitmap) return std::nullopt;
  return *bitmap + bitmap_bytes();
}

std::uint64_t VhdBuilder::smallest_lv_bytes() const {
  std::uint64_t end = metadata_end();
  for (const auto& [block, place] : places()) {
    end = std::max(end, place + bitmap_bytes() + shape_.block_bytes);
  }
  return end + kVhdSector;
}

std::vector<std::byte> VhdBuilder::footer() const {
  return vhd_footer(shape_, shape_.parent ? kDifferencing : kDynamic);
}

std::vector<std::byte> VhdBuilder::header() const {
  return vhd_header(shape_, {.bat_offset = bat_offset(),
                             .bat_entries = bat_entries(),
                             .locators_offset = locators_offset()});
}

void VhdBuilder::write_locators(ByteSpan image) const {
  if (!shape_.parent) return;
  const auto texts = vhd_locator_texts(*shape_.parent);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::uint64_t at = locators_offset() + i * kVhdSector;
    put(image, at, std::vector<std::byte>(kVhdSector));
    put(image, at, texts[i]);
  }
}

void VhdBuilder::write_batmap(ByteSpan image) const {
  std::vector<std::byte> header(kVhdSector);
  if (shape_.batmap == VhdShape::Batmap::kNone) {
    if (shape_.creator.starts_with("tap")) put(image, batmap_header_offset(), header);
    return;
  }
  std::vector<std::byte> map(batmap_bytes());
  for (const auto& [number, block] : blocks_) {
    if (!block.complete(sectors_per_block()) || forgotten_.contains(number)) continue;
    map[number / 8] |= mask_of(number);
  }
  const std::uint64_t map_offset = batmap_header_offset() + kVhdSector;
  const std::uint64_t checked =
      std::min<std::uint64_t>(map.size(), vhd_batmap_checked_bytes(shape_.size_bytes));
  const ConstByteSpan cookie = as_byte_span("tdbatmap");
  std::copy(cookie.begin(), cookie.end(), header.begin());
  store_be<std::uint64_t>(header, 8, map_offset);
  store_be<std::uint32_t>(header, 16, static_cast<std::uint32_t>(map.size() / kVhdSector));
  store_be<std::uint32_t>(header, 20, static_cast<std::uint32_t>(shape_.batmap));
  store_be<std::uint32_t>(header, 24,
                          vhd_batmap_checksum(ConstByteSpan(map).first(checked),
                                              shape_.batmap == VhdShape::Batmap::kSigned));
  put(image, batmap_header_offset(), header);
  put(image, map_offset, map);
}

void VhdBuilder::write_last_sector(ByteSpan sector) const {
  switch (shape_.last) {
    case VhdShape::LastSector::kFooter:
      put(sector, 0, footer());
      break;
    case VhdShape::LastSector::kZeros:
      std::fill(sector.begin(), sector.end(), std::byte{0});
      break;
    case VhdShape::LastSector::kInUse:
      std::fill(sector.begin(), sector.end(), std::byte{0xC7});
      break;
    case VhdShape::LastSector::kOldData:
      std::fill(sector.begin(), sector.end(), shape_.stale);
      break;
  }
}

std::vector<std::byte> VhdBuilder::image(std::uint64_t lv_bytes) const {
  std::vector<std::byte> out(lv_bytes, shape_.stale);
  put(out, 0, footer());
  put(out, shape_.header_offset, header());
  std::vector<std::byte> bat(batmap_header_offset() - bat_offset(), std::byte{0xFF});
  for (const auto& [block, place] : places()) {
    store_be<std::uint32_t>(bat, block * 4, static_cast<std::uint32_t>(place / kVhdSector));
    put(out, place, blocks_.at(block).bitmap);
    put(out, place + bitmap_bytes(), blocks_.at(block).data);
  }
  put(out, bat_offset(), bat);
  write_batmap(out);
  write_locators(out);
  write_last_sector(ByteSpan(out).last(kVhdSector));
  return out;
}

}  // namespace lunfs::testing
