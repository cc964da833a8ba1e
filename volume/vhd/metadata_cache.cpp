#include "volume/vhd/metadata_cache.h"

#include <xxhash.h>

#include <iterator>
#include <type_traits>
#include <utility>

namespace lunfs::vhd {

namespace {

static_assert(std::has_unique_object_representations_v<CacheKey>,
              "a key with undefined bytes would have several hashes");

/// What the list, the hash table and the shared pointer add to a table, about.
constexpr std::size_t kOverheadBytes = 160;
/// So many tables are looked at for one that nobody holds. Requests hold a few each, the ones that
/// were used last; a long walk over them would cost more than a cache that is a little too large.
constexpr int kLooksForOne = 64;

}  // namespace

std::size_t CachedTable::bytes() const noexcept {
  return kOverheadBytes + bits.size() +
         (bat ? bat->sectors().size() * sizeof(std::uint32_t) + sizeof(Bat) : 0);
}

std::size_t MetadataCache::Hash::operator()(const CacheKey& key) const noexcept {
  return XXH3_64bits(&key, sizeof key);
}

std::shared_ptr<const CachedTable> MetadataCache::find(const CacheKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++counts_.misses;
    return nullptr;
  }
  ++counts_.hits;
  places_.splice(places_.begin(), places_, found->second);
  return found->second->table;
}

std::shared_ptr<const CachedTable> MetadataCache::put(const CacheKey& key, CachedTable table) {
  auto shared = std::make_shared<const CachedTable>(std::move(table));
  if (const auto old = by_key_.find(key); old != by_key_.end()) drop(old->second);
  places_.push_front({key, shared});
  by_key_.emplace(key, places_.begin());
  bytes_ += shared->bytes();
  shrink();
  return shared;
}

void MetadataCache::drop(Places::iterator place) {
  bytes_ -= place->table->bytes();
  by_key_.erase(place->key);
  places_.erase(place);
}

void MetadataCache::shrink() {
  auto next = places_.end();
  for (int looks = 0; bytes_ > limit_bytes_ && next != places_.begin() && looks < kLooksForOne;) {
    const auto place = std::prev(next);
    if (place->table.use_count() > 1) {
      ++looks;
      next = place;
    } else {
      drop(place);
    }
  }
}

MetadataCache::Counts MetadataCache::counts() const noexcept {
  Counts counts = counts_;
  counts.bytes = bytes_;
  counts.tables = places_.size();
  return counts;
}

}  // namespace lunfs::vhd
