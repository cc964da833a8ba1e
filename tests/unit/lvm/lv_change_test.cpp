#include "volume/lvm/lv_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/lvm/lvm_image.h"

namespace lunfs::lvm {
namespace {

using ::testing::HasSubstr;
using testing::linear;
using testing::lv;
using testing::parsed;
using testing::replaced;
using testing::vg_text;

/// What becomes of LV "a", two extents at 10, when its section is `now`.
LvChange becomes(const std::string& now) {
  const VolumeGroup before = parsed(vg_text(lv("a", 1, linear(1, 0, 2, 10))));
  const VolumeGroup after = parsed(vg_text(now));
  return change_of(*before.find("a"), after.find("a"));
}

TEST(LvChange, NothingOrATagIsNone) {
  EXPECT_EQ(becomes(lv("a", 1, linear(1, 0, 2, 10))).fate, LvFate::kSame);
  EXPECT_EQ(becomes(lv("a", 1, linear(1, 0, 2, 10)) + lv("b", 1, linear(1, 0, 2, 12))).fate,
            LvFate::kSame);
}

TEST(LvChange, LongerOneHasGrown) {
  EXPECT_EQ(becomes(lv("a", 1, linear(1, 0, 5, 10))).fate, LvFate::kGrown);
  EXPECT_EQ(becomes(lv("a", 2, linear(1, 0, 2, 10) + linear(2, 2, 1, 50))).fate, LvFate::kGrown);
}

TEST(LvChange, RemovedOneIsGone) {
  EXPECT_EQ(becomes(lv("b", 1, linear(1, 0, 2, 10))).fate, LvFate::kGone);
}

TEST(LvChange, ShorterOneHasChanged) {
  const LvChange change = becomes(lv("a", 1, linear(1, 0, 1, 10)));
  EXPECT_EQ(change.fate, LvFate::kChanged);
  EXPECT_THAT(change.what, HasSubstr("shrunk from 131072 to 65536 bytes"));
}

TEST(LvChange, MovedOneHasChanged) {
  EXPECT_THAT(becomes(lv("a", 1, linear(1, 0, 2, 20))).what, HasSubstr("other extents"));
  EXPECT_THAT(becomes(lv("a", 2, linear(1, 0, 1, 10) + linear(2, 1, 4, 30))).what,
              HasSubstr("other extents"));
}

TEST(LvChange, OtherRightsAreAChange) {
  const std::string same = lv("a", 1, linear(1, 0, 2, 10));
  EXPECT_THAT(becomes(replaced(same, "\"WRITE\", ", "")).what, HasSubstr("read-only now"));
  EXPECT_THAT(becomes(replaced(same, ", \"VISIBLE\"", "")).what, HasSubstr("part of another LV"));
}

TEST(LvChange, OneThatCannotBeMappedAnyMoreHasChanged) {
  const std::string same = lv("a", 1, linear(1, 0, 2, 10));
  EXPECT_THAT(becomes(replaced(same, "striped", "raid1")).what,
              HasSubstr("cannot be mapped any more"));
}

}  // namespace
}  // namespace lunfs::lvm
