#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

/// Writes VHD images for tests, from docs/formats/vhd.md alone and without any code of volume/vhd:
/// reader and writer cannot share a mistake.
namespace lunfs::testing {

inline constexpr std::uint64_t kVhdSector = 512;

/// What a differencing image says of its parent.
struct VhdParent {
  Uuid uuid;            ///< of the parent's footer; nil for a raw parent
  std::string vg_name;  ///< empty: the LV's name is stored as it is
  std::string lv_name;
};

/// How an image is written: what the format leaves open can be chosen. The defaults are those of a
/// XenServer host, but for the length of the BAT.
struct VhdShape {
  /// Of the batmap's header and checksum; kNone leaves its place full of zeros.
  enum class Batmap : std::uint32_t { kNone = 0, kSigned = 0x00010001, kUnsigned = 0x00010002 };
  enum class LastSector { kFooter, kZeros, kInUse, kOldData };

  std::uint64_t size_bytes = 0;  ///< of the disk; whole sectors
  std::uint32_t block_bytes = 2U << 20U;
  std::uint32_t bat_entries = 0;  ///< 0: as many as the disk has blocks
  Uuid uuid;
  std::optional<VhdParent> parent;  ///< none: dynamic
  bool hidden = false;
  std::string creator = "tap";
  std::uint32_t creator_version = 0x00010003;
  std::uint32_t timestamp = 0x32956CBB;
  Batmap batmap = Batmap::kUnsigned;
  bool packed = false;                ///< blocks follow each other without alignment, as elsewhere
  std::uint64_t header_offset = 512;  ///< bytes; whole sectors
  bool locators_before_bat = false;
  bool locator_space_in_sectors = false;  ///< as the specification has it, not as hosts write it
  LastSector last = LastSector::kFooter;
  std::byte stale{0xE5};  ///< what lies where nothing was ever written
};

/// One dynamic or differencing image. Blocks lie in the image in the order in which they were first
/// touched.
class VhdBuilder {
 public:
  explicit VhdBuilder(VhdShape shape);

  [[nodiscard]] const VhdShape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::uint64_t block_count() const noexcept;

  /// Allocates the block: no sector of it is stored, all of its data is stale.
  void allocate(std::uint64_t block);
  /// Stores whole sectors from `sector` on. They may lie beyond the disk's end, in its last block.
  void store(std::uint64_t sector, ConstByteSpan data);
  /// Puts data under a sector whose bit is, or stays, 0.
  void put_stale(std::uint64_t sector, ConstByteSpan data);
  /// The batmap does not say that the block is complete, although it is.
  void forget_in_batmap(std::uint64_t block) { forgotten_.insert(block); }

  /// The smallest LV that holds the image.
  [[nodiscard]] std::uint64_t smallest_lv_bytes() const;
  /// The bytes of an LV of that size with the image in it.
  [[nodiscard]] std::vector<std::byte> image(std::uint64_t lv_bytes) const;

  // Where things are, in bytes from the LV's start.
  [[nodiscard]] std::uint64_t bat_offset() const noexcept;
  [[nodiscard]] std::uint64_t batmap_header_offset() const noexcept;
  [[nodiscard]] std::uint64_t metadata_end() const noexcept;
  /// nullopt if the block is not allocated.
  [[nodiscard]] std::optional<std::uint64_t> bitmap_offset(std::uint64_t block) const;
  [[nodiscard]] std::optional<std::uint64_t> data_offset(std::uint64_t block) const;
  [[nodiscard]] std::uint64_t bitmap_bytes() const noexcept;

 private:
  struct Block {
    std::vector<std::byte> bitmap;
    std::vector<std::byte> data;
    [[nodiscard]] bool complete(std::uint64_t sectors) const;
  };

  Block& touch(std::uint64_t block);
  [[nodiscard]] std::uint32_t bat_entries() const noexcept;
  [[nodiscard]] std::uint64_t sectors_per_block() const noexcept;
  [[nodiscard]] std::uint64_t batmap_bytes() const noexcept;
  [[nodiscard]] std::uint64_t locators_offset() const noexcept;
  /// First byte of each block's bitmap.
  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> places() const;
  [[nodiscard]] std::vector<std::byte> footer() const;
  [[nodiscard]] std::vector<std::byte> header() const;
  void write_locators(ByteSpan image) const;
  void write_batmap(ByteSpan image) const;
  void write_last_sector(ByteSpan sector) const;

  VhdShape shape_;
  std::map<std::uint64_t, Block> blocks_;
  std::vector<std::uint64_t> order_;
  std::set<std::uint64_t> forgotten_;
};

/// The footer of a disk, as it stands at an image's end: for fixed images, and for damage.
std::vector<std::byte> vhd_footer(const VhdShape& shape, std::uint32_t disk_type);

/// One's complement of the sum of all bytes; the four at `field` count as zeros.
std::uint32_t vhd_checksum(ConstByteSpan structure, std::uint64_t field);

}  // namespace lunfs::testing
