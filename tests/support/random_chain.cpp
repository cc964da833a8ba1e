#include "tests/support/random_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

namespace lunfs::testing {

namespace {

constexpr std::uint32_t kDiskTypeFixed = 2;
constexpr std::uint64_t kBlocksOfABatmapSector = 4096;
/// At most so many blocks are filled: images of thousands of blocks are there for their tables.
constexpr std::size_t kMostFilledBlocks = 96;

enum class Base { kDynamic, kRaw, kFixed };

/// Makes a chain, the lowest image first.
class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  void make();

  ChainModel model;
  std::vector<ScatteredVg::Content> volumes;  ///< leaf last
  std::vector<std::string> lines;
  bool raw_base = false;

 private:
  std::uint64_t below(std::uint64_t end) { return end == 0 ? 0 : random_() % end; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  Uuid uuid();

  void choose_scale();
  [[nodiscard]] std::uint64_t next_size();
  [[nodiscard]] std::uint32_t some_block_bytes();
  [[nodiscard]] VhdShape some_shape();
  [[nodiscard]] std::vector<std::byte> some_sectors(std::uint64_t first, std::uint64_t count);
  [[nodiscard]] std::uint64_t lv_bytes_for(std::uint64_t least, bool exact);

  void add_base(Base base);
  void add_image();
  void fill_block(VhdBuilder& builder, std::uint64_t block);
  void store(VhdBuilder& builder, std::uint64_t first, std::uint64_t count);
  /// The model of a disk of that size on what the model is so far.
  void resize_model(std::uint64_t size_bytes, std::uint8_t deepest_beyond);
  void hold(std::uint64_t first, ConstByteSpan data);
  void finish(const VhdBuilder& builder);

  std::mt19937 random_;
  std::uint32_t images_ = 1;
  std::uint8_t index_ = 0;  ///< of the image being made, leaf = 0
  bool big_blocks_ = false;
  bool many_blocks_ = false;
  std::uint64_t size_ = 0;  ///< bytes, of the disk of the image last made
  std::optional<VhdParent> parent_;
};

Uuid Maker::uuid() {
  std::array<std::uint8_t, 16> bytes{};
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(1 + random_() % 255);
  return Uuid(bytes);
}

void Maker::choose_scale() {
  images_ = static_cast<std::uint32_t>(between(1, RandomChain::kMostImages));
  many_blocks_ = one_in(40);
  big_blocks_ = !many_blocks_ && one_in(5);
  if (many_blocks_ || big_blocks_) images_ = std::min<std::uint32_t>(images_, 4);
  if (many_blocks_) {
    size_ = (kBlocksOfABatmapSector + between(0, 3)) * 4096 + below(8) * kVhdSector;
  } else {
    size_ = between(1, big_blocks_ ? 5000 : 800) * kVhdSector;
  }
}

std::uint64_t Maker::next_size() {
  if (many_blocks_) return size_ + below(3) * 4096;
  switch (below(6)) {
    case 0:
    case 1:
      return size_ + between(1, 300) * kVhdSector;
    case 2:
      return kVhdSector * between(1, size_ / kVhdSector);
    default:
      return size_;
  }
}

std::uint32_t Maker::some_block_bytes() {
  constexpr std::uint32_t kBig = 2U << 20U;
  if (many_blocks_) return 4096;
  return big_blocks_ ? kBig >> below(6) : 4096U << below(5);
}

VhdShape Maker::some_shape() {
  VhdShape shape;
  shape.size_bytes = size_;
  shape.block_bytes = some_block_bytes();
  shape.uuid = uuid();
  shape.parent = parent_;
  shape.hidden = index_ > 0;
  shape.stale = static_cast<std::byte>(random_());
  const auto blocks =
      static_cast<std::uint32_t>((size_ + shape.block_bytes - 1) / shape.block_bytes);
  if (one_in(2)) shape.bat_entries = blocks + static_cast<std::uint32_t>(below(700));
  if (one_in(25)) shape.bat_entries = blocks + (1U << 16U);
  switch (below(10)) {
    case 0:
      shape.creator_version = 0x00010001;
      shape.batmap = one_in(3) ? VhdShape::Batmap::kNone : VhdShape::Batmap::kSigned;
      break;
    case 1:
    case 2:
      shape.creator = one_in(2) ? "qem2" : "win ";
      shape.creator_version = static_cast<std::uint32_t>(random_());
      shape.batmap = VhdShape::Batmap::kNone;
      shape.packed = one_in(2);
      break;
    default:
      if (one_in(6)) shape.batmap = VhdShape::Batmap::kNone;
      break;
  }
  if (one_in(8)) shape.header_offset = between(1, 7) * kVhdSector;
  shape.locators_before_bat = one_in(6);
  shape.locator_space_in_sectors = one_in(6);
  if (one_in(3)) shape.last = static_cast<VhdShape::LastSector>(below(4));
  return shape;
}

/// Each sector tells by its bytes where it comes from; one in ten is zeros.
std::vector<std::byte> Maker::some_sectors(std::uint64_t first, std::uint64_t count) {
  std::vector<std::byte> out(count * kVhdSector);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (one_in(10)) continue;
    std::array<std::uint64_t, kVhdSector / sizeof(std::uint64_t)> words{};
    words.fill((first + i + 1) << 16U | (index_ + std::uint64_t{1}) << 8U | 0x5AU);
    std::memcpy(out.data() + i * kVhdSector, words.data(), kVhdSector);
  }
  return out;
}

std::uint64_t Maker::lv_bytes_for(std::uint64_t least, bool exact) {
  constexpr std::uint64_t kExtent = ScatteredVg::kExtentBytes;
  const std::uint64_t extents = (least + kExtent - 1) / kExtent;
  return (extents + (exact ? 0 : below(3))) * kExtent;
}

void Maker::resize_model(std::uint64_t size_bytes, std::uint8_t deepest_beyond) {
  model.content.resize(size_bytes);
  model.stored.resize(size_bytes / kVhdSector);
  model.deepest.resize(size_bytes / kVhdSector, deepest_beyond);
}

void Maker::hold(std::uint64_t first, ConstByteSpan data) {
  const std::uint64_t size = model.content.size();
  if (first * kVhdSector >= size) return;
  data = data.first(std::min<std::uint64_t>(data.size(), size - first * kVhdSector));
  std::copy(data.begin(), data.end(),
            model.content.begin() + static_cast<std::ptrdiff_t>(first * kVhdSector));
  for (std::uint64_t i = 0; i < data.size() / kVhdSector; ++i) {
    model.stored[first + i] = true;
    model.deepest[first + i] = index_;
  }
}

void Maker::add_base(Base base) {
  if (base == Base::kDynamic) return;
  const std::string name = (base == Base::kRaw ? "LV-" : "VHD-") + uuid().text();
  std::vector<std::byte> bytes;
  if (base == Base::kRaw) {
    size_ = lv_bytes_for(size_, false);
    parent_ = {.uuid = Uuid(), .vg_name = std::string(ScatteredVg::kName), .lv_name = name};
    raw_base = true;
  } else {
    VhdShape shape;
    shape.size_bytes = size_;
    shape.uuid = uuid();
    parent_ = {.uuid = shape.uuid, .vg_name = std::string(ScatteredVg::kName), .lv_name = name};
    bytes.resize(lv_bytes_for(size_ + kVhdSector, false), std::byte{0x77});
    const std::vector<std::byte> footer = vhd_footer(shape, kDiskTypeFixed);
    std::copy(footer.begin(), footer.end(), bytes.begin() + static_cast<std::ptrdiff_t>(size_));
  }
  const std::vector<std::byte> data = some_sectors(0, size_ / kVhdSector);
  bytes.resize(std::max<std::size_t>(bytes.size(), data.size()));
  std::copy(data.begin(), data.end(), bytes.begin());
  resize_model(size_, index_);
  hold(0, data);
  lines.push_back(fmt::format("{}: {}, {} bytes in an LV of {}", index_,
                              base == Base::kRaw ? "raw" : "fixed", size_, bytes.size()));
  volumes.push_back({.name = name, .bytes = std::move(bytes)});
}

void Maker::store(VhdBuilder& builder, std::uint64_t first, std::uint64_t count) {
  const std::vector<std::byte> data = some_sectors(first, count);
  builder.store(first, data);
  hold(first, data);
}

void Maker::fill_block(VhdBuilder& builder, std::uint64_t block) {
  const std::uint64_t sectors = builder.shape().block_bytes / kVhdSector;
  const std::uint64_t first = block * sectors;
  builder.allocate(block);
  if (one_in(8)) return;
  if (one_in(3)) {
    store(builder, first, sectors);  // in the last block beyond the disk's end too
    if (one_in(4)) builder.forget_in_batmap(block);
    return;
  }
  for (std::uint64_t runs = between(1, 4); runs > 0; --runs) {
    const std::uint64_t start = below(sectors);
    store(builder, first + start, between(1, std::min<std::uint64_t>(sectors - start, 70)));
  }
}

void Maker::add_image() {
  VhdBuilder builder(some_shape());
  resize_model(size_, index_);
  std::vector<std::uint64_t> blocks(builder.block_count());
  std::iota(blocks.begin(), blocks.end(), 0U);
  std::shuffle(blocks.begin(), blocks.end(), random_);
  const std::uint64_t density = below(5);  // of 4: none at all, ..., every block
  std::size_t filled = 0;
  for (const std::uint64_t block : blocks) {
    const bool at_a_border = many_blocks_ && block + 2 >= kBlocksOfABatmapSector;
    if (!at_a_border && (below(4) >= density || filled >= kMostFilledBlocks)) continue;
    fill_block(builder, block);
    ++filled;
  }
  finish(builder);
}

void Maker::finish(const VhdBuilder& builder) {
  const VhdShape& shape = builder.shape();
  const std::uint64_t lv_bytes = lv_bytes_for(builder.smallest_lv_bytes(), one_in(2));
  const std::string name = "VHD-" + uuid().text();
  lines.push_back(fmt::format(
      "{}: {} bytes, blocks of {}, BAT of {} at {}, creator '{}' {:x}, batmap {:x}{}, last sector "
      "{}, in an LV of {}",
      index_, shape.size_bytes, shape.block_bytes, shape.bat_entries, builder.bat_offset(),
      shape.creator, shape.creator_version, static_cast<std::uint32_t>(shape.batmap),
      shape.packed ? ", packed" : "", static_cast<int>(shape.last), lv_bytes));
  parent_ = {.uuid = shape.uuid,
             .vg_name = one_in(8) ? "" : std::string(ScatteredVg::kName),
             .lv_name = name};
  volumes.push_back({.name = name, .bytes = builder.image(lv_bytes)});
}

void Maker::make() {
  choose_scale();
  const Base base = one_in(4) ? Base::kRaw : one_in(16) ? Base::kFixed : Base::kDynamic;
  index_ = static_cast<std::uint8_t>(base == Base::kDynamic ? images_ - 1 : images_);
  add_base(base);
  while (volumes.size() < images_ + (base == Base::kDynamic ? 0U : 1U)) {
    if (!volumes.empty()) {
      --index_;
      size_ = next_size();
    }
    add_image();
  }
}

}  // namespace

RandomChain::RandomChain(Reactor& reactor, std::uint32_t seed) {
  Maker maker(seed);
  maker.make();
  model_ = std::move(maker.model);
  description_ = fmt::format("seed {}", seed);
  for (auto line = maker.lines.rbegin(); line != maker.lines.rend(); ++line) {
    description_ += "\n  " + *line;
  }
  for (auto volume = maker.volumes.rbegin(); volume != maker.volumes.rend(); ++volume) {
    images_.push_back(volume->name);
  }
  if (maker.raw_base) {
    raw_base_ = images_.back();
    images_.pop_back();
  }
  vg_ = std::make_unique<ScatteredVg>(reactor, seed, maker.volumes);
}

}  // namespace lunfs::testing
