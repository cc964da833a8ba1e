#include "iscsi/journal_memory.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace lunfs::iscsi {
namespace {

constexpr std::size_t kChunk = JournalMemory::kChunkBytes;
constexpr std::size_t kLimit = 4 * kChunk;

std::vector<std::byte> filled(std::size_t size, unsigned value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

std::vector<std::byte> held(const JournalMemory& memory, JournalMemory::Place place,
                            std::size_t length) {
  std::vector<std::byte> all;
  for (const ConstIoSpan part : memory.bytes(place, length)) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(JournalMemory, HoldsAsMuchAsItsLimitWhereverThatBegins) {
  JournalMemory memory(kLimit);
  memory.append(filled(kChunk - 512, 1));
  const auto place = memory.end();
  memory.append(filled(512, 2));
  memory.discard_until(place);
  memory.append(filled(kLimit - 512, 3));
  auto expected = filled(512, 2);
  expected.resize(kLimit, std::byte{3});
  EXPECT_EQ(held(memory, place, kLimit), expected);
}

TEST(JournalMemory, LimitNeedNotBeOfWholeChunks) {
  JournalMemory memory(kChunk + 512);
  memory.append(filled(kChunk - 512, 1));
  const auto place = memory.end();
  memory.append(filled(512, 2));
  memory.discard_until(place);
  memory.append(filled(kChunk, 3));
  auto expected = filled(512, 2);
  expected.resize(kChunk + 512, std::byte{3});
  EXPECT_EQ(held(memory, place, kChunk + 512), expected);
}

TEST(JournalMemory, EmptyItUsesOneChunkAgainAndAgain) {
  JournalMemory memory(kLimit);
  for (unsigned i = 0; i < 1000; ++i) {
    memory.append(filled(4096, i));
    memory.discard_until(memory.end());
  }
  EXPECT_EQ(memory.touched_bytes(), kChunk);
}

TEST(JournalMemory, TouchesNoMoreThanWasHeldAtOnce) {
  JournalMemory memory(kLimit);
  std::deque<JournalMemory::Place> places;
  for (unsigned i = 0; i < 1000; ++i) {
    places.push_back(memory.end());
    memory.append(filled(4096, i));
    if (places.size() <= kChunk / 4096) continue;
    places.pop_front();
    memory.discard_until(places.front());
  }
  EXPECT_LE(memory.touched_bytes(), 2 * kChunk);
}

TEST(JournalMemory, PlaceOfLongAgoDiscardsNothing) {
  JournalMemory memory(kLimit);
  const auto long_ago = memory.end();
  memory.append(filled(2 * kChunk, 1));
  memory.discard_until(memory.end());
  const auto place = memory.end();
  memory.append(filled(2 * kChunk, 2));
  memory.discard_until(long_ago);
  EXPECT_EQ(held(memory, place, 2 * kChunk), filled(2 * kChunk, 2));
}

TEST(JournalMemory, MemoryThatIsGivenBackIsBeyondWhatIsKept) {
  JournalMemory memory(kLimit);
  memory.append(filled(kLimit, 1));
  memory.give_back(kChunk);
  EXPECT_EQ(memory.touched_bytes(), kLimit) << "something is held";
  memory.discard_until(memory.end());
  memory.give_back(kChunk);
  EXPECT_EQ(memory.touched_bytes(), kChunk);
  memory.append(filled(kChunk, 2));
  EXPECT_EQ(memory.touched_bytes(), kChunk) << "what is kept is used first";
}

TEST(JournalMemory, PartsOfBlocksAreWholeBlocks) {
  JournalMemory memory(kLimit);
  memory.append(filled(3 * 512, 1));
  const auto place = memory.end();
  memory.append(filled(2 * kChunk, 2));
  for (const ConstIoSpan part : memory.bytes(place, 2 * kChunk)) EXPECT_EQ(part.size() % 512, 0U);
}

TEST(JournalMemory, HeldBytesAreWholeWhateverCameAndWent) {
  JournalMemory memory(kLimit);
  std::minstd_rand random(11);
  struct One {
    JournalMemory::Place place;
    std::vector<std::byte> bytes;
  };
  std::deque<One> kept;
  std::size_t size = 0;
  for (unsigned round = 0; round < 5000; ++round) {
    const std::size_t length = (1 + random() % 600) * 512;
    while (!kept.empty() && (size + length > kLimit || random() % 8 == 0)) {
      size -= kept.front().bytes.size();
      kept.pop_front();
      memory.discard_until(kept.empty() ? memory.end() : kept.front().place);
      memory.give_back(kChunk);  // only if nothing is held
    }
    kept.push_back({memory.end(), filled(length, round)});
    memory.append(kept.back().bytes);
    size += length;
    const One& one = kept[random() % kept.size()];
    ASSERT_EQ(held(memory, one.place, one.bytes.size()), one.bytes) << round;
  }
}

}  // namespace
}  // namespace lunfs::iscsi
