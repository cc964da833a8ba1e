#include "iscsi/journal_memory.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "base/streaming_copy.h"

namespace lunfs::iscsi {

namespace {

/// What is held may begin and end within a chunk.
std::size_t chunks_for(std::size_t limit_bytes) noexcept {
  constexpr std::size_t kChunk = JournalMemory::kChunkBytes;
  return limit_bytes == 0 ? 0 : limit_bytes / kChunk + (limit_bytes % kChunk != 0 ? 2 : 1);
}

}  // namespace

JournalMemory::JournalMemory(std::size_t limit_bytes)
    : memory_(chunks_for(limit_bytes) * kChunkBytes),
      chunks_(chunks_for(limit_bytes)),
      idle_(chunks_.size()) {
  std::iota(idle_.rbegin(), idle_.rend(), Chunk{0});
}

void JournalMemory::take_chunk() noexcept {
  if (idle_.empty()) std::abort();  // beyond the limit: the caller's check has failed
  const Chunk chunk = idle_.back();
  idle_.pop_back();
  chunk_of(next_++) = chunk;
  touched_chunks_ = std::max<std::size_t>(touched_chunks_, chunk + 1);
}

void JournalMemory::leave_chunk() noexcept { idle_.push_back(chunk_of(first_++)); }

void JournalMemory::append(ConstIoSpan bytes) noexcept {
  while (!bytes.empty()) {
    if (end_ / kChunkBytes == next_) take_chunk();
    const std::size_t at = end_ % kChunkBytes;
    const std::size_t size = std::min(bytes.size(), kChunkBytes - at);
    const std::size_t chunk = chunk_of(end_ / kChunkBytes);
    streaming_copy(bytes.first(size), memory_.bytes().data() + chunk * kChunkBytes + at);
    end_ += size;
    bytes = bytes.subspan(size);
  }
}

std::vector<ConstIoSpan> JournalMemory::bytes(Place place, std::size_t length) const {
  std::vector<ConstIoSpan> parts;
  while (length > 0) {
    const std::size_t at = place % kChunkBytes;
    const std::size_t size = std::min(length, kChunkBytes - at);
    const std::size_t chunk = chunks_[(place / kChunkBytes) % chunks_.size()];
    parts.push_back(memory_.bytes().subspan(chunk * kChunkBytes + at, size));
    place += size;
    length -= size;
  }
  return parts;
}

void JournalMemory::discard_until(Place place) noexcept {
  while (first_ < place / kChunkBytes) leave_chunk();
  if (place != end_) return;
  // Nothing is held: what comes next begins at the start of a chunk, the one that is left here.
  while (first_ < next_) leave_chunk();
  end_ = next_ * kChunkBytes;
}

void JournalMemory::give_back(std::size_t kept_bytes) noexcept {
  if (first_ != next_ || touched_bytes() <= kept_bytes) return;
  memory_.give_back(kept_bytes);
  touched_chunks_ = (kept_bytes + kChunkBytes - 1) / kChunkBytes;
  std::sort(idle_.begin(), idle_.end(), std::greater<>());
}

}  // namespace lunfs::iscsi
