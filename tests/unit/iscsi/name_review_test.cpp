#include "iscsi/name_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr YearMonth kToday{std::chrono::year{2026}, std::chrono::month{11}};

std::vector<ReviewedName> review(const std::vector<std::string>& texts) {
  std::vector<ListedName> names;
  for (const std::string& text : texts) names.push_back({text, {}});
  return review_names(names, kToday);
}

std::vector<std::string> texts_of(const std::vector<ListedName>& names) {
  std::vector<std::string> texts;
  for (const ListedName& name : names) texts.push_back(name.place + " " + name.text);
  return texts;
}

TEST(NameReview, GoodNamesHaveNoFault) {
  for (const ReviewedName& one : review({"iqn.2026-11.com.example:a", "iqn.1984-05.com.example",
                                         "eui.02004567a425678d", "naa.52004567ba64678d"})) {
    EXPECT_THAT(one.faults, IsEmpty()) << one.listed.text;
    EXPECT_EQ(one.normal, one.listed.text);
  }
}

TEST(NameReview, EveryFaultOfANameIsTold) {
  const auto all = review({"iqn.2026-13.com..example:"});
  EXPECT_THAT(all[0].faults, ElementsAre("month 13 does not exist", "the domain has an empty part",
                                         "nothing follows the colon"));
  EXPECT_EQ(all[0].normal, "");
}

TEST(NameReview, CapitalLettersAreAFaultThatTellsTheNormalForm) {
  const auto all = review({"iqn.2026-11.com.example:Web1"});
  ASSERT_THAT(all[0].faults, SizeIs(1));
  EXPECT_THAT(all[0].faults[0], HasSubstr("iqn.2026-11.com.example:web1"));
}

TEST(NameReview, DateOfTheNextMonthLiesInTheFuture) {
  const auto all = review({"iqn.2026-12.com.example:a", "iqn.2026-11.com.example:a"});
  EXPECT_THAT(all[0].faults, ElementsAre("its date lies in the future"));
  EXPECT_THAT(all[1].faults, IsEmpty());
}

TEST(NameReview, SameNameForTwoIsFoundWhateverItsCase) {
  const auto all = review({"iqn.2026-11.com.example:a", "iqn.2026-11.com.example:b",
                           "IQN.2026-11.com.example:A", "iqn.2026-11.com.example:a"});
  EXPECT_THAT(all[0].faults, IsEmpty());
  EXPECT_THAT(all[1].faults, IsEmpty());
  EXPECT_THAT(all[2].faults,
              ElementsAre(HasSubstr("capital"), HasSubstr("the same name as name 1")));
  EXPECT_THAT(all[3].faults, ElementsAre(HasSubstr("the same name as name 1")));
}

TEST(NameReview, NamesThatAreNoneAreNotCompared) {
  EXPECT_THAT(review({"x", "x"})[1].faults, SizeIs(1));
}

TEST(NamesInList, OneALine) {
  EXPECT_THAT(texts_of(names_in_list("iqn.a\n\n# comment\n  iqn.b \r\niqn.c")),
              ElementsAre("line 1 iqn.a", "line 4 iqn.b", "line 5 iqn.c"));
  EXPECT_THAT(names_in_list(""), IsEmpty());
}

TEST(NamesInList, SeveralWithCommasBetween) {
  EXPECT_THAT(texts_of(names_in_list("iqn.a,iqn.b, iqn.c,\n")),
              ElementsAre("line 1 iqn.a", "line 1 iqn.b", "line 1 iqn.c"));
}

TEST(NamesInList, FilesOfOpenIscsi) {
  EXPECT_THAT(texts_of(names_in_list("## InitiatorName=iqn.x\nInitiatorName=iqn.a\n"
                                     "InitiatorAlias=web 1\nInitiatorName = iqn.b\n")),
              ElementsAre("line 2 iqn.a", "line 4 iqn.b"));
}

TEST(NamesInList, MarkOfAnEncodingInFrontIsNoPartOfAName) {
  EXPECT_THAT(texts_of(names_in_list("\xef\xbb\xbfInitiatorName=iqn.a\r\niqn.b\r\n")),
              ElementsAre("line 1 iqn.a", "line 2 iqn.b"));
}

TEST(NamesInList, BlankInsideANameStaysInIt) {
  EXPECT_THAT(texts_of(names_in_list("iqn.a b\n")), ElementsAre("line 1 iqn.a b"));
}

}  // namespace
}  // namespace lunfs::iscsi
