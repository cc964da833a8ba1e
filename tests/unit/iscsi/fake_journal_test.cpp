// What is acknowledged and not flushed is written again after a loss of power.
#include "tests/unit/iscsi/fake_journal.h"

#include <gmock/gmock.h>

#include <random>

namespace lunfs::iscsi {
namespace {

using testing::check_condition;
using testing::FakeTarget;
using testing::Flag;
using testing::flag;
using testing::JournalledLun;
using testing::kHangUp;
using testing::kJournalBytes;
using testing::kRead;
using testing::kSynchronizeCache;
using testing::kUnmap;
using testing::kWrite;
using testing::lba_of;
using testing::noise;
using Reply = testing::FakeTarget::Reply;

TEST(Journal, UnflushedWriteIsThereAgain) {
  JournalledLun fake({});
  const auto data = noise(8192, 1);
  fake.write(4096, data);
  fake.target.lose_power();
  EXPECT_EQ(fake.read(4096, 8192), data);
  fake.expect_durable(4096, data);
  EXPECT_EQ(fake.lun->journal().replays, 1U);
  EXPECT_EQ(fake.lun->journal().bytes_replayed, 8192U);
}

TEST(Journal, LaterWriteIsNotOverwrittenByAnEarlierOne) {
  JournalledLun fake({});
  fake.write(0, noise(4096, 1));
  fake.write(1024, noise(512, 2));
  fake.target.lose_power();
  auto expected = noise(4096, 1);
  const auto later = noise(512, 2);
  std::copy(later.begin(), later.end(), expected.begin() + 1024);
  EXPECT_EQ(fake.read(0, 4096), expected);
  fake.expect_durable(0, expected);
}

TEST(Journal, AnyOrderOfChangesIsMadeAgainAsItWas) {
  JournalledLun fake({.login = {}, .handler = {}, .thin = true});
  std::minstd_rand random(11);
  std::vector<std::byte> model(std::size_t{4096} * 512);
  for (std::uint32_t round = 0; round < 150; ++round) {
    const std::size_t offset = random() % 256 * 512;
    const std::size_t length = (1 + random() % 16) * 512;
    const auto place = model.begin() + static_cast<std::ptrdiff_t>(offset);
    if (random() % 5 == 0) {
      fake.zero(offset, length);
      std::fill_n(place, length, std::byte{0});
    } else {
      const auto data = noise(length, round);
      fake.write(offset, data);
      std::copy(data.begin(), data.end(), place);
    }
    if (round % 60 == 30) fake.flush();
  }
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), std::vector(model.begin(), model.begin() + 512));
  EXPECT_EQ(fake.target.bytes(), model);
  fake.expect_durable(0, model);
}

TEST(Journal, DurableWriteIsNotOverwrittenByAnEarlierOneThatWasNotFlushed) {
  JournalledLun fake({.login = {}, .handler = {}, .fua = true});
  fake.write(0, noise(512, 1));
  fake.write(0, noise(512, 2), {.fua = true});
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
}

TEST(Journal, CompareAndWriteIsNotOverwrittenByAnEarlierWrite) {
  JournalledLun fake({.login = {}, .handler = {}, .max_compare_and_write = 8});
  const auto before = noise(512, 1);
  const auto after = noise(512, 2);
  fake.write(0, before);
  fake.initiator.run([&](RequestContext& c) -> Task<void> {
    const bool written = co_await fake.lun->compare_and_write(c, 0, before, after);
    EXPECT_TRUE(written);
  });
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), after);
}

TEST(Journal, ZeroesAreWrittenAgain) {
  for (const bool thin : {false, true}) {
    JournalledLun fake({.login = {}, .handler = {}, .thin = thin});
    const auto data = noise(8192, 1);
    fake.write(0, data);
    fake.flush();
    fake.zero(0, 4096);
    fake.target.lose_power();
    auto expected = data;
    std::fill_n(expected.begin(), 4096, std::byte{0});
    EXPECT_EQ(fake.read(0, 8192), expected) << thin;
    fake.expect_durable(0, expected);
  }
}

TEST(Journal, WhatWasUnmappedDoesNotComeBack) {
  JournalledLun fake({.login = {}, .handler = {}, .thin = true});
  fake.write(0, noise(8192, 1));
  fake.initiator.run([&](RequestContext& c) { return fake.lun->unmap(c, 0, 4096); });
  fake.write(512, noise(512, 2));
  fake.target.lose_power();
  fake.read(0, 512);
  auto expected = noise(8192, 1);
  std::fill_n(expected.begin(), 4096, std::byte{0});
  const auto later = noise(512, 2);
  std::copy(later.begin(), later.end(), expected.begin() + 512);
  EXPECT_EQ(fake.seen(0, 8192), expected);
  EXPECT_EQ(fake.target.count(kUnmap), 2U);
}

TEST(Journal, NeighboursThatWentAsOneCommandAreThereAgain) {
  JournalledLun fake({});
  const auto data = noise(8 * 4096, 1);
  RequestContext context;
  std::vector<Task<void>> writes;
  for (std::size_t i = 0; i < 8; ++i) {
    writes.push_back(fake.lun->write(context, i * 4096, ConstIoSpan(data).subspan(i * 4096, 4096)));
  }
  run_until_done(fake.initiator.reactor, testing::all_of(std::move(writes)));
  ASSERT_EQ(fake.target.count(kWrite), 1U);
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, data.size()), data);
}

TEST(Journal, WriteThatCameBackUnansweredFollowsThoseThatWereAcknowledged) {
  const Flag cut = flag();
  JournalledLun fake({.login = {}, .handler = [cut](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] == kWrite && cut->exchange(false)) return kHangUp;
                        return std::nullopt;
                      }});
  fake.write(0, noise(512, 1));
  *cut = true;
  fake.write(0, noise(512, 2));
  EXPECT_EQ(fake.lun->state().outages, 1U);
  EXPECT_EQ(fake.lun->journal().replays, 1U);
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), noise(512, 2));
}

TEST(Journal, FlushedWritesAreNotWrittenAgain) {
  JournalledLun fake({});
  fake.write(0, noise(512, 1));
  fake.flush();
  EXPECT_EQ(fake.lun->journal().bytes, 0U);
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
  EXPECT_EQ(fake.target.count(kWrite), 1U);
}

TEST(Journal, FlushThatWasUnderWayWhenTheSessionWasLostTellsTheTruth) {
  const Flag cut = flag(true);
  JournalledLun fake({.login = {}, .handler = [cut](const Cdb& cdb) -> std::optional<Reply> {
                        const bool flush = cdb.bytes[0] == kSynchronizeCache;
                        if (flush && cut->exchange(false)) return kHangUp;
                        return std::nullopt;
                      }});
  fake.write(0, noise(512, 1));
  fake.expect_durable(0, noise(512, 1));
}

TEST(Journal, NothingIsKeptOfALunWithoutACache) {
  JournalledLun fake({.login = {}, .handler = {}, .write_cache = false});
  fake.write(0, noise(512, 1));
  EXPECT_EQ(fake.lun->journal().bytes, 0U);
  EXPECT_EQ(fake.lun->journal().limit_bytes, 0U);
  fake.target.drop_connection();
  fake.read(0, 512);
  EXPECT_EQ(fake.target.count(kWrite), 1U);
  EXPECT_EQ(fake.lun->losses(), 0U);
}

TEST(Journal, FullOneForcesAFlush) {
  JournalledLun fake({.login = {}, .handler = {}, .blocks = 16384});
  const auto data = noise(5 * kJournalBytes, 1);
  constexpr std::size_t kPiece = 65536;
  for (std::size_t at = 0; at < data.size(); at += kPiece) {
    fake.write(at, ConstIoSpan(data).subspan(at, kPiece));
    ASSERT_LE(fake.lun->journal().bytes, kJournalBytes);
  }
  EXPECT_GE(fake.target.count(kSynchronizeCache), 4U);
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, data.size()), data);
  fake.expect_durable(0, data);
}

TEST(Journal, WritesOfMoreThanTheJournalAtOnceAllEnd) {
  JournalledLun fake({.login = {}, .handler = {}, .blocks = 16384});
  const auto data = noise(6 * kJournalBytes, 1);
  fake.write(0, data);
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, data.size()), data);
  fake.expect_durable(0, data);
}

TEST(Journal, LunThatIsResetInTheMiddleOfASessionGetsTheWritesAgain) {
  const Flag reset = flag();
  JournalledLun fake({.login = {}, .handler = [reset](const Cdb& cdb) -> std::optional<Reply> {
                        if (cdb.bytes[0] == kRead && reset->exchange(false)) {
                          return check_condition(6, 0x29, 0x00);
                        }
                        return std::nullopt;
                      }});
  fake.write(0, noise(512, 1));
  fake.target.lose_cache();
  *reset = true;
  EXPECT_EQ(fake.read(0, 512), noise(512, 1));
  fake.expect_durable(0, noise(512, 1));
}

TEST(Journal, LunThatIsResetDuringTheReplayGetsAllOfItAgain) {
  auto target = std::make_shared<std::atomic<FakeTarget*>>(nullptr);
  const Flag reset = flag();
  JournalledLun fake({.login = {}, .handler = [=](const Cdb& cdb) -> std::optional<Reply> {
                        const bool last = cdb.bytes[0] == kWrite && lba_of(cdb) == 1;
                        if (!last || !reset->exchange(false)) return std::nullopt;
                        target->load()->lose_cache();
                        return check_condition(6, 0x29, 0x01);
                      }});
  *target = &fake.target;
  auto data = noise(1024, 1);
  fake.write(0, ConstIoSpan(data).first(512));
  fake.write(512, ConstIoSpan(data).last(512));
  fake.write(0, ConstIoSpan(data).first(512));  // so that the replay is two batches
  *reset = true;
  fake.target.lose_power();
  EXPECT_EQ(fake.read(0, 1024), data);
  fake.expect_durable(0, data);
}

}  // namespace
}  // namespace lunfs::iscsi
