// What is written again over one of two paths.
#include <utility>

#include "tests/unit/iscsi/fake_journal.h"
#include "tests/unit/iscsi/two_paths.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeTarget;
using testing::Flag;
using testing::flag;
using testing::kHangUp;
using testing::kJournalBytes;
using testing::kWrite;
using testing::noise;
using testing::refusing;
using testing::target;
using testing::TwoPaths;
using Reply = testing::FakeTarget::Reply;

/// A path that ends for good at the first write.
FakeTarget::Options path_until_a_write(std::uint16_t group) {
  const Flag down = flag();
  FakeTarget::Options options = target(
      [down](const Cdb& cdb) -> std::optional<Reply> {
        if (cdb.bytes[0] != kWrite) return std::nullopt;
        *down = true;
        return kHangUp;
      },
      group);
  options.login = refusing(down);
  return options;
}

/// A write that is not flushed is written again over the second path, which is cut short, and then
/// over the first.
struct CutReplay : TwoPaths {
  CutReplay(FakeTarget::Options one, std::uint16_t group_of_second)
      : TwoPaths(std::move(one), path_until_a_write(group_of_second)) {
    options.journal_bytes = kJournalBytes;
    open().write(1);
    first.drop_connection();
    EXPECT_EQ(read(), noise(512, 1));
    EXPECT_EQ(second.count(kWrite), 1U);
    EXPECT_EQ(second.resets(), 0) << "nothing was in flight when the first path was cut";
  }
};

TEST(JournalPaths, ReplayThatIsCutShortIsEndedByAResetInAnotherPortalGroup) {
  const CutReplay two(target({}, 7), 8);
  EXPECT_EQ(two.first.resets(), 1);
  EXPECT_EQ(two.first.count_before_reset(kWrite), 1U) << "it was written again before the reset";
  EXPECT_EQ(two.first.count(kWrite), 2U);
  EXPECT_EQ(two.lun->losses(), 0U);
}

TEST(JournalPaths, ReplayThatIsCutShortIsEndedByTheLoginInTheSamePortalGroup) {
  const CutReplay two(target({}, 7), 7);
  EXPECT_EQ(two.first.resets(), 0);
  EXPECT_EQ(two.lun->losses(), 0U);
}

/// It may be carried out late, over what was written since.
TEST(JournalPaths, ReplayThatIsCutShortAndCannotBeEndedCountsAsALoss) {
  FakeTarget::Options refuses = target({}, 7);
  refuses.reset_response = 5;
  CutReplay two(std::move(refuses), 8);
  EXPECT_EQ(two.lun->losses(), 1U);
  const auto flush = [&] {
    two.initiator.run([&](RequestContext& c) { return two.lun->flush(c); });
  };
  EXPECT_THROW(flush(), Error);
  EXPECT_NO_THROW(flush());
}

}  // namespace
}  // namespace lunfs::iscsi
