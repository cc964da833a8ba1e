#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"
#include "volume/vhd/footer.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using testing::error_of;
using testing::footer_with;
using ::testing::HasSubstr;

const Bytes kZeros(512);
const Bytes kKilled(512, std::byte{0xC7});
const Bytes kOldData(512, std::byte{0x5A});

Bytes fixed_footer(std::uint64_t size_bytes) {
  Bytes bytes = testing::with(testing::footer(), 16, testing::hex("ffffffffffffffff"));
  bytes = testing::with_u64(testing::with_u32(bytes, 60, 2), 48, size_bytes);
  return testing::sealed(bytes, testing::kFooterChecksumAt);
}

Bytes damaged() { return testing::with(testing::footer(), 100, testing::hex("01")); }
Bytes poisoned() { return testing::with(testing::footer(), 0, testing::text("v_poison")); }
Bytes resized() { return footer_with(48, "0000000008000000"); }
Bytes of_another_image() { return footer_with(68, "ff"); }

FooterChoice chosen(const Bytes& first, const Bytes& last) {
  const std::optional<FooterChoice> choice = choose_footer(first, last);
  EXPECT_TRUE(choice.has_value());
  return choice.value_or(FooterChoice{});
}

TEST(FooterChoice, EqualCopiesAreTheNormalCase) {
  const FooterChoice choice = chosen(testing::footer(), testing::footer());
  EXPECT_TRUE(choice.at_end);
  EXPECT_FALSE(choice.in_use);
  EXPECT_FALSE(choice.copies_differ);
}

TEST(FooterChoice, EndWinsIfSizesDiffer) {
  const FooterChoice choice = chosen(testing::footer(), resized());
  EXPECT_EQ(choice.footer.size_bytes, 128U << 20U);
  EXPECT_TRUE(choice.at_end);
  EXPECT_TRUE(choice.copies_differ);
}

TEST(FooterChoice, EndWinsIfOnlyOneIsHidden) {
  const FooterChoice choice = chosen(testing::footer(), footer_with(85, "01"));
  EXPECT_TRUE(choice.footer.hidden);
  EXPECT_TRUE(choice.copies_differ);
}

TEST(FooterChoice, TimestampsMayDiffer) {
  EXPECT_FALSE(chosen(testing::footer(), footer_with(24, "01")).copies_differ);
}

TEST(FooterChoice, CopyCountsIfTheEndIsNoFooter) {
  for (const Bytes& last : {kZeros, kOldData, damaged()}) {
    const FooterChoice choice = chosen(resized(), last);
    EXPECT_EQ(choice.footer.size_bytes, 128U << 20U);
    EXPECT_FALSE(choice.at_end);
    EXPECT_FALSE(choice.in_use);
    EXPECT_FALSE(choice.copies_differ);
  }
}

TEST(FooterChoice, KilledEndMeansInUse) {
  const FooterChoice choice = chosen(testing::footer(), kKilled);
  EXPECT_TRUE(choice.in_use);
  EXPECT_FALSE(choice.at_end);
}

TEST(FooterChoice, OneOtherByteIsNotKilled) {
  Bytes almost = kKilled;
  almost[511] = std::byte{0xC6};
  EXPECT_FALSE(chosen(testing::footer(), almost).in_use);
}

TEST(FooterChoice, EndCountsIfTheCopyIsNoFooter) {
  for (const Bytes& first : {kZeros, kOldData, damaged()}) {
    const FooterChoice choice = chosen(first, resized());
    EXPECT_EQ(choice.footer.size_bytes, 128U << 20U);
    EXPECT_TRUE(choice.at_end);
    EXPECT_FALSE(choice.copies_differ);
  }
}

TEST(FooterChoice, FooterLeftByARemovedImageDoesNotCount) {
  const FooterChoice choice = chosen(resized(), of_another_image());
  EXPECT_EQ(choice.footer.size_bytes, 128U << 20U);
  EXPECT_FALSE(choice.at_end);
  EXPECT_TRUE(choice.copies_differ);
}

TEST(FooterChoice, ADynamicBeginningWithAFixedEndIsCorrupt) {
  // Left from another image, or the guest of a fixed one has written it: nobody can tell.
  try {
    static_cast<void>(choose_footer(of_another_image(), fixed_footer(64U << 20U)));
    FAIL() << "one of them was chosen";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("ends as a fixed one of 67108864"));
  }
}

TEST(FooterChoice, FixedFooterAtTheStartIsNone) {
  EXPECT_FALSE(choose_footer(fixed_footer(512), kZeros).has_value());
  EXPECT_EQ(chosen(fixed_footer(512), resized()).footer.size_bytes, 128U << 20U);
}

TEST(FooterChoice, PoisonAtEitherPlaceIsBusy) {
  for (const auto& [first, last] :
       {std::pair(poisoned(), testing::footer()), std::pair(testing::footer(), poisoned()),
        std::pair(poisoned(), kZeros), std::pair(kZeros, poisoned()),
        std::pair(damaged(), poisoned())}) {
    const Error error = error_of([&] { (void)choose_footer(first, last); });
    EXPECT_EQ(error.kind(), ErrorKind::kBusy);
    EXPECT_THAT(error.message(), HasSubstr("v_poison"));
  }
}

TEST(FooterChoice, NothingLikeAFooterIsNone) {
  EXPECT_FALSE(choose_footer(kZeros, kZeros).has_value());
  EXPECT_FALSE(choose_footer(kOldData, kKilled).has_value());
  EXPECT_FALSE(choose_footer({}, {}).has_value());
}

TEST(FooterChoice, DamagedEndIsToldIfTheCopyIsNoBetter) {
  for (const Bytes& first : {kZeros, damaged(), fixed_footer(512)}) {
    const Error error = error_of([&] { (void)choose_footer(first, damaged()); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("at the end: footer: the checksum"));
  }
}

TEST(FooterChoice, DamagedCopyIsToldIfThereIsNoEnd) {
  for (const Bytes& last : {kZeros, kKilled}) {
    const Error error = error_of([&] { (void)choose_footer(damaged(), last); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("copy at the start: footer: the checksum"));
  }
}

TEST(FooterChoice, UnsupportedIsToldAsSuch) {
  const Bytes old = footer_with(32, "00000001");
  EXPECT_EQ(error_of([&] { (void)choose_footer(old, old); }).kind(), ErrorKind::kUnsupported);
}

TEST(FixedFooter, IsFoundBehindItsDisk) {
  Bytes tail(8 * 512);
  tail = testing::with(tail, 3 * 512, fixed_footer(3 * 512));
  const std::optional<Footer> found = find_fixed_footer(tail, 0);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->size_bytes, 3U * 512);
}

TEST(FixedFooter, TailOffsetCounts) {
  const Bytes tail = testing::with(Bytes(4 * 512), 512, fixed_footer((1U << 20U) + 512));
  EXPECT_TRUE(find_fixed_footer(tail, 1U << 20U).has_value());
  EXPECT_FALSE(find_fixed_footer(tail, 0).has_value());
}

TEST(FixedFooter, LastOneThatFitsWins) {
  Bytes tail(8 * 512);
  tail = testing::with(tail, 2 * 512, fixed_footer(2 * 512));
  tail = testing::with(tail, 5 * 512, fixed_footer(5 * 512));
  tail = testing::with(tail, 6 * 512, fixed_footer(1 * 512));
  EXPECT_EQ(find_fixed_footer(tail, 0).value().size_bytes, 5U * 512);
}

TEST(FixedFooter, OtherTypesAndBadOnesDoNotCount) {
  Bytes tail(8 * 512);
  tail = testing::with(tail, 512, testing::footer());
  tail = testing::with(tail, 3 * 512, poisoned());
  tail =
      testing::with(tail, 5 * 512, testing::with(fixed_footer(5 * 512), 200, testing::hex("01")));
  EXPECT_FALSE(find_fixed_footer(tail, 0).has_value());
}

TEST(FixedFooter, FooterBetweenSectorsDoesNotCount) {
  const Bytes tail = testing::with(Bytes(4 * 512), 513, fixed_footer(512));
  EXPECT_FALSE(find_fixed_footer(tail, 0).has_value());
  EXPECT_FALSE(find_fixed_footer({}, 0).has_value());
}

}  // namespace
}  // namespace lunfs::vhd
