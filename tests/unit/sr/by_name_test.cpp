#include "volume/sr/by_name.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lunfs::sr {
namespace {

using namespace std::string_literals;

struct Case {
  std::string label;
  std::string escaped;
};

const Case kCases[] = {
    {"plain", "plain"},
    {"with space (1) \"&<>'", "with space (1) \"&<>'"},
    {"db é 日本 😀", "db é 日本 😀"},
    {"data/with/slash", "data%2Fwith%2Fslash"},
    {"..", "%2E."},
    {".", "%2E"},
    {".hidden", "%2Ehidden"},
    {"a.b", "a.b"},
    {"50%", "50%25"},
    {"%2F", "%252F"},
    {"two\nlines\t\r", "two%0Alines%09%0D"},
    {"esc\x1b[31m", "esc%1B[31m"},
    {"nul\0!"s, "nul%00!"},
    {"del\x7f", "del%7F"},
    {"c1 \xc2\x9b", "c1 %C2%9B"},
    {"\xc2\xa0", "\xc2\xa0"},
    {"bad \xff\xfe", "bad %FF%FE"},
    {"cut \xe6\x97", "cut %E6%97"},
    {"lone \x80", "lone %80"},
    {"overlong \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "overlong %C0%AF %E0%80%AF %F0%80%80%AF"},
    {"surrogate \xed\xa0\x80", "surrogate %ED%A0%80"},
    {"last \xf4\x8f\xbf\xbf beyond \xf4\x90\x80\x80", "last \xf4\x8f\xbf\xbf beyond %F4%90%80%80"},
};

class Labels : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, Labels, ::testing::ValuesIn(kCases));

std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
    } else {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
  }
  return result;
}

TEST_P(Labels, AreEscaped) { EXPECT_EQ(escape_label(GetParam().label), GetParam().escaped); }

TEST_P(Labels, ComeBackUnescaped) {
  EXPECT_EQ(unescape(escape_label(GetParam().label)), GetParam().label);
}

TEST_P(Labels, AreOnePathComponent) { EXPECT_TRUE(is_file_name(escape_label(GetParam().label))); }

TEST(CutEscaped, NeverCutsACharacterOrAnEscape) {
  EXPECT_EQ(cut_escaped("abc", 3), "abc");
  EXPECT_EQ(cut_escaped("abc", 2), "ab");
  EXPECT_EQ(cut_escaped("a日", 3), "a");
  EXPECT_EQ(cut_escaped("a日", 4), "a日");
  EXPECT_EQ(cut_escaped("a%2F", 3), "a");
  EXPECT_EQ(cut_escaped("a%2F", 4), "a%2F");
  EXPECT_EQ(cut_escaped("", 5), "");
}

TEST(IsFileName, RefusesWhatADirectoryCannotHold) {
  EXPECT_FALSE(is_file_name(""));
  EXPECT_FALSE(is_file_name("."));
  EXPECT_FALSE(is_file_name(".."));
  EXPECT_FALSE(is_file_name("a/b"));
  EXPECT_FALSE(is_file_name("a\0b"s));
  EXPECT_FALSE(is_file_name(std::string(256, 'a')));
  EXPECT_TRUE(is_file_name(std::string(255, 'a')));
  EXPECT_TRUE(is_file_name("..."));
}

Uuid uuid(std::uint8_t n) { return Uuid(std::array<std::uint8_t, 16>{n}); }

Volume volume(std::uint8_t n, std::string label) {
  Volume result;
  result.uuid = uuid(n);
  result.file_name = uuid(n).text() + ".raw";
  result.label = std::move(label);
  return result;
}

/// The link's name of each volume, in the volumes' order; "" where there is none.
std::vector<std::string> names(const std::vector<Volume>& volumes) {
  const std::vector<NameLink> links = make_name_links(volumes);
  std::vector<std::string> result;
  for (const Volume& one : volumes) {
    const auto found = std::find_if(links.begin(), links.end(), [&](const NameLink& link) {
      return link.file_name == one.file_name;
    });
    result.push_back(found == links.end() ? "" : found->name);
  }
  return result;
}

using Names = std::vector<std::string>;

TEST(NameLinks, AnEmptyLabelHasNone) {
  EXPECT_EQ(names({volume(1, ""), volume(2, "b")}), (Names{"", "b.raw"}));
}

TEST(NameLinks, DoublesAreNumberedByUuidWhateverTheOrder) {
  EXPECT_EQ(names({volume(3, "a"), volume(1, "a"), volume(2, "a")}),
            (Names{"a (3).raw", "a.raw", "a (2).raw"}));
}

TEST(NameLinks, ALabelThatLooksNumberedKeepsItsName) {
  EXPECT_EQ(names({volume(1, "a"), volume(2, "a"), volume(3, "a (2)")}),
            (Names{"a.raw", "a (3).raw", "a (2).raw"}));
}

TEST(NameLinks, LongLabelsFitAndStayDistinct) {
  const std::string label(400, 'x');
  const Names found = names({volume(1, label), volume(2, label), volume(3, label + "y")});
  EXPECT_EQ(found[0], std::string(251, 'x') + ".raw");
  EXPECT_EQ(found[1], std::string(247, 'x') + " (2).raw");
  EXPECT_EQ(found[2], std::string(247, 'x') + " (3).raw");
}

TEST(NameLinks, ALongLabelIsCutBetweenCharacters) {
  std::string label;
  for (int i = 0; i < 100; ++i) label += "日";
  const std::string name = names({volume(1, label)}).front();
  EXPECT_EQ(name.size(), 83U * 3U + 4U);
  EXPECT_EQ(name.substr(0, name.size() - 4), label.substr(0, 83U * 3U));
}

}  // namespace
}  // namespace lunfs::sr
