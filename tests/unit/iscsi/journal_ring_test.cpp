#include "iscsi/journal_ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace lunfs::iscsi {
namespace {

constexpr std::size_t kChunk = JournalRing::kChunkBytes;
constexpr std::size_t kLimit = 4 * kChunk;

std::vector<std::byte> filled(std::size_t size, unsigned value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

std::vector<std::byte> held(const JournalRing& ring, JournalRing::Place place, std::size_t length) {
  std::vector<std::byte> all;
  for (const ConstIoSpan part : ring.bytes(place, length)) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(JournalRing, HoldsAsMuchAsItsLimitWhereverThatBegins) {
  JournalRing ring(kLimit);
  ring.append(filled(kChunk - 512, 1));
  const auto place = ring.end();
  ring.append(filled(512, 2));
  ring.discard_until(place);
  ring.append(filled(kLimit - 512, 3));
  auto expected = filled(512, 2);
  expected.resize(kLimit, std::byte{3});
  EXPECT_EQ(held(ring, place, kLimit), expected);
}

TEST(JournalRing, LimitNeedNotBeOfWholeChunks) {
  JournalRing ring(kChunk + 512);
  ring.append(filled(kChunk - 512, 1));
  const auto place = ring.end();
  ring.append(filled(512, 2));
  ring.discard_until(place);
  ring.append(filled(kChunk, 3));
  auto expected = filled(512, 2);
  expected.resize(kChunk + 512, std::byte{3});
  EXPECT_EQ(held(ring, place, kChunk + 512), expected);
}

TEST(JournalRing, EmptyItUsesOneChunkAgainAndAgain) {
  JournalRing ring(kLimit);
  for (unsigned i = 0; i < 1000; ++i) {
    ring.append(filled(4096, i));
    ring.discard_until(ring.end());
  }
  EXPECT_EQ(ring.touched_bytes(), kChunk);
}

TEST(JournalRing, TouchesNoMoreThanWasHeldAtOnce) {
  JournalRing ring(kLimit);
  std::deque<JournalRing::Place> places;
  for (unsigned i = 0; i < 1000; ++i) {
    places.push_back(ring.end());
    ring.append(filled(4096, i));
    if (places.size() <= kChunk / 4096) continue;
    places.pop_front();
    ring.discard_until(places.front());
  }
  EXPECT_LE(ring.touched_bytes(), 2 * kChunk);
}

TEST(JournalRing, PlaceOfLongAgoDiscardsNothing) {
  JournalRing ring(kLimit);
  const auto long_ago = ring.end();
  ring.append(filled(2 * kChunk, 1));
  ring.discard_until(ring.end());
  const auto place = ring.end();
  ring.append(filled(2 * kChunk, 2));
  ring.discard_until(long_ago);
  EXPECT_EQ(held(ring, place, 2 * kChunk), filled(2 * kChunk, 2));
}

TEST(JournalRing, MemoryThatIsGivenBackIsBeyondWhatIsKept) {
  JournalRing ring(kLimit);
  ring.append(filled(kLimit, 1));
  ring.give_back(kChunk);
  EXPECT_EQ(ring.touched_bytes(), kLimit) << "something is held";
  ring.discard_until(ring.end());
  ring.give_back(kChunk);
  EXPECT_EQ(ring.touched_bytes(), kChunk);
  ring.append(filled(kChunk, 2));
  EXPECT_EQ(ring.touched_bytes(), kChunk) << "what is kept is used first";
}

TEST(JournalRing, PartsOfBlocksAreWholeBlocks) {
  JournalRing ring(kLimit);
  ring.append(filled(3 * 512, 1));
  const auto place = ring.end();
  ring.append(filled(2 * kChunk, 2));
  for (const ConstIoSpan part : ring.bytes(place, 2 * kChunk)) EXPECT_EQ(part.size() % 512, 0U);
}

TEST(JournalRing, HeldBytesAreWholeWhateverCameAndWent) {
  JournalRing ring(kLimit);
  std::minstd_rand random(11);
  struct One {
    JournalRing::Place place;
    std::vector<std::byte> bytes;
  };
  std::deque<One> kept;
  std::size_t size = 0;
  for (unsigned round = 0; round < 5000; ++round) {
    const std::size_t length = (1 + random() % 600) * 512;
    while (!kept.empty() && (size + length > kLimit || random() % 8 == 0)) {
      size -= kept.front().bytes.size();
      kept.pop_front();
      ring.discard_until(kept.empty() ? ring.end() : kept.front().place);
      ring.give_back(kChunk);  // only if nothing is held
    }
    kept.push_back({ring.end(), filled(length, round)});
    ring.append(kept.back().bytes);
    size += length;
    const One& one = kept[random() % kept.size()];
    ASSERT_EQ(held(ring, one.place, one.bytes.size()), one.bytes) << round;
  }
}

}  // namespace
}  // namespace lunfs::iscsi
