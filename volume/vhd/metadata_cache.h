#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "volume/vhd/bat.h"

namespace lunfs::vhd {

/// Which table of which image.
struct CacheKey {
  enum class Table : std::uint32_t { kBat, kBatmap, kBitmap };
  std::uint64_t image = 0;  ///< MetadataCache::new_image()'s number
  std::uint64_t index = 0;  ///< page of the BAT, 0, block of the bitmap
  Table table = Table::kBat;
  std::uint32_t padding = 0;  ///< no byte of a key is undefined: they are hashed as they lie

  bool operator==(const CacheKey&) const = default;
};

/// One cached table or piece of one. Immutable.
struct CachedTable {
  std::vector<std::byte> bits;     ///< batmap or bitmap; an empty batmap = there is none to use
  std::unique_ptr<const Bat> bat;  ///< of kBat
  [[nodiscard]] std::size_t bytes() const noexcept;
};

/// The tables of all images of a mount, bounded: least recently used ones go first, but never one
/// that a request holds. Hashed by XXH3. One thread at a time.
class MetadataCache {
 public:
  static constexpr std::size_t kDefaultBytes = 64U << 20U;

  explicit MetadataCache(std::size_t limit_bytes = kDefaultBytes) : limit_bytes_(limit_bytes) {}

  /// A number for an image that was opened now; never given twice, so that tables of an image as it
  /// was before a change are never taken for those of what it is now.
  [[nodiscard]] std::uint64_t new_image() noexcept { return ++last_image_; }

  /// Null if it is not there. Holding the pointer keeps the table.
  [[nodiscard]] std::shared_ptr<const CachedTable> find(const CacheKey& key);
  /// Puts it in, in place of an older one, and drops what is over the limit.
  std::shared_ptr<const CachedTable> put(const CacheKey& key, CachedTable table);

  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::size_t bytes = 0;
    std::size_t tables = 0;
  };
  [[nodiscard]] Counts counts() const noexcept;
  [[nodiscard]] std::size_t limit_bytes() const noexcept { return limit_bytes_; }

 private:
  struct Entry {
    CacheKey key;
    std::shared_ptr<const CachedTable> table;
  };
  struct Hash {
    std::size_t operator()(const CacheKey& key) const noexcept;
  };
  using Places = std::list<Entry>;

  void drop(Places::iterator place);
  void shrink();

  std::size_t limit_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t last_image_ = 0;
  Counts counts_;
  Places places_;  ///< most recently used first
  std::unordered_map<CacheKey, Places::iterator, Hash> by_key_;
};

}  // namespace lunfs::vhd
