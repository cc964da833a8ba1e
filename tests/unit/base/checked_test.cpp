#include "base/checked.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace lunfs {
namespace {

constexpr auto kMax64 = std::numeric_limits<std::uint64_t>::max();

template <typename Call>
bool is_out_of_range(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kOutOfRange;
  }
  return false;
}

TEST(Checked, SumAtTheLimitIsRightAndBeyondItAnError) {
  EXPECT_EQ(checked_add<std::uint64_t>(kMax64 - 1, 1, "sum"), kMax64);
  EXPECT_TRUE(is_out_of_range([] { checked_add<std::uint64_t>(kMax64, 1, "sum"); }));
  EXPECT_TRUE(is_out_of_range([] { checked_add<std::uint8_t>(255, 1, "sum"); }));
}

TEST(Checked, ProductAtTheLimitIsRightAndBeyondItAnError) {
  EXPECT_EQ(checked_mul<std::uint64_t>(kMax64, 1, "product"), kMax64);
  EXPECT_EQ(checked_mul<std::uint64_t>(kMax64, 0, "product"), 0U);
  EXPECT_TRUE(is_out_of_range([] { checked_mul<std::uint64_t>(kMax64 / 2 + 1, 2, "product"); }));
  EXPECT_TRUE(is_out_of_range([] { checked_mul<std::uint16_t>(256, 256, "product"); }));
}

TEST(Checked, ErrorNamesWhatOverflowed) {
  try {
    checked_mul<std::uint64_t>(kMax64, 512, "sectors of the PV");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "sectors of the PV: 18446744073709551615 * 512 overflows");
  }
}

TEST(Checked, CastKeepsTheValueOrThrows) {
  EXPECT_EQ((checked_cast<std::uint32_t>(std::uint64_t{0xffffffff}, "count")), 0xffffffffU);
  EXPECT_TRUE(is_out_of_range([] { checked_cast<std::uint32_t>(std::uint64_t{1} << 32U, "c"); }));
  EXPECT_TRUE(is_out_of_range([] { checked_cast<std::uint64_t>(-1, "c"); }));
  EXPECT_EQ((checked_cast<std::int64_t>(std::uint64_t{1}, "c")), 1);
  EXPECT_TRUE(is_out_of_range([] { checked_cast<std::int64_t>(kMax64, "c"); }));
}

TEST(Checked, RangeFitsNeverOverflows) {
  EXPECT_TRUE(range_fits<std::uint64_t>(0, 0, 0));
  EXPECT_TRUE(range_fits<std::uint64_t>(10, 0, 10));
  EXPECT_TRUE(range_fits<std::uint64_t>(3, 7, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(3, 8, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(11, 0, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(kMax64, 2, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(1, kMax64, kMax64));
  EXPECT_TRUE(range_fits<std::uint64_t>(0, kMax64, kMax64));
}

TEST(Checked, AlignmentRoundsToMultiples) {
  EXPECT_EQ(align_down<std::uint64_t>(511, 512), 0U);
  EXPECT_EQ(align_down<std::uint64_t>(512, 512), 512U);
  EXPECT_EQ(align_up<std::uint64_t>(0, 512, "size"), 0U);
  EXPECT_EQ(align_up<std::uint64_t>(1, 512, "size"), 512U);
  EXPECT_EQ(align_up<std::uint64_t>(512, 512, "size"), 512U);
  EXPECT_TRUE(is_out_of_range([] { align_up<std::uint64_t>(kMax64 - 1, 512, "size"); }));
  EXPECT_TRUE(is_aligned<std::uint64_t>(1024, 512));
  EXPECT_FALSE(is_aligned<std::uint64_t>(1025, 512));
}

}  // namespace
}  // namespace lunfs
