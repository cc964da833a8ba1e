#include "iscsi/initiator_file.h"

#include <gtest/gtest.h>

#include <string>

namespace lunfs::iscsi {
namespace {

const std::string kDebians =
    "## DO NOT EDIT OR REMOVE THIS FILE!\n"
    "## InitiatorName=iqn.2001-05.com.example:comment\n"
    "InitiatorName=iqn.2001-05.com.example:old\n";

std::string with_name(const std::string& text, const std::string& name) {
  InitiatorFile file = InitiatorFile::parse(text);
  file.set_name(name);
  return file.text();
}

TEST(InitiatorFile, TextComesBackByteByByte) {
  for (const std::string text : {"", "\n", "no line end", "a\r\nb\n\n", "x\0y\n"}) {
    EXPECT_EQ(InitiatorFile::parse(text).text(), text);
  }
}

TEST(InitiatorFile, FirstLineWithAValueCounts) {
  const auto name = [](const std::string& text) { return InitiatorFile::parse(text).name(); };
  EXPECT_EQ(name("InitiatorName=a\nInitiatorName=b\n"), "a");
  EXPECT_EQ(name("InitiatorName=\nInitiatorName= \nInitiatorName=b\n"), "b");
  EXPECT_EQ(name(kDebians), "iqn.2001-05.com.example:old");
}

TEST(InitiatorFile, BlanksAroundTheValueAreNoPartOfIt) {
  EXPECT_EQ(InitiatorFile::parse("  InitiatorName =\t a \r\n").name(), "a");
}

TEST(InitiatorFile, NumberSignInTheValueBelongsToIt) {
  EXPECT_EQ(InitiatorFile::parse("InitiatorName=a # b").name(), "a # b");
}

TEST(InitiatorFile, OtherKeysAreNotTheName) {
  EXPECT_EQ(InitiatorFile::parse("InitiatorNameX=a\nXInitiatorName=b\nInitiatorName\n").name(), "");
  EXPECT_EQ(InitiatorFile::parse("InitiatorAlias=a\n").name(), "");
  EXPECT_EQ(InitiatorFile::parse("InitiatorAlias=web 1\n").alias(), "web 1");
}

TEST(InitiatorFile, NewNameTakesTheOldOnesLine) {
  EXPECT_EQ(with_name("# above\nInitiatorName=a\n# below\nInitiatorAlias=x\n", "b"),
            "# above\nInitiatorName=b\n# below\nInitiatorAlias=x\n");
}

TEST(InitiatorFile, CommentsAreKept) {
  EXPECT_EQ(with_name(kDebians, "iqn.2001-05.com.example:new"),
            "## DO NOT EDIT OR REMOVE THIS FILE!\n"
            "## InitiatorName=iqn.2001-05.com.example:comment\n"
            "InitiatorName=iqn.2001-05.com.example:new\n");
}

TEST(InitiatorFile, FirstNameComesBehindWhatIsThere) {
  EXPECT_EQ(with_name("", "a"), "InitiatorName=a\n");
  EXPECT_EQ(with_name("# comment", "a"), "# comment\nInitiatorName=a\n");
}

TEST(InitiatorFile, LineEndsOfTheFileAreUsed) {
  EXPECT_EQ(with_name("InitiatorName=a\r\n", "b"), "InitiatorName=b\r\n");
  EXPECT_EQ(with_name("# comment\r\n", "b"), "# comment\r\nInitiatorName=b\r\n");
}

TEST(InitiatorFile, SecondNamesGo) {
  EXPECT_EQ(with_name("InitiatorName=a\n#\nInitiatorName=b\nInitiatorName=c\n", "d"),
            "InitiatorName=d\n#\n");
}

TEST(InitiatorFile, OrderToGenerateANameGoes) {
  EXPECT_EQ(with_name("GenerateName=yes\n", "a"), "InitiatorName=a\n");
}

TEST(InitiatorFile, AliasIsSetChangedAndRemoved) {
  InitiatorFile file = InitiatorFile::parse("InitiatorName=a\n");
  file.set_alias("one");
  EXPECT_EQ(file.text(), "InitiatorName=a\nInitiatorAlias=one\n");
  file.set_alias("two");
  EXPECT_EQ(file.text(), "InitiatorName=a\nInitiatorAlias=two\n");
  file.set_alias("");
  EXPECT_EQ(file.text(), "InitiatorName=a\n");
}

TEST(AliasFault, TakesWhatComesBackFromTheFile) {
  EXPECT_EQ(alias_fault(""), "");
  EXPECT_EQ(alias_fault("web 1 # \xc3\xa4"), "");
  EXPECT_EQ(alias_fault(std::string(239, 'x')), "");
  EXPECT_EQ(alias_fault(std::string(240, 'x')), "longer than 239 bytes (240)");
  EXPECT_EQ(alias_fault("a\nInitiatorName=b"), "it holds a control character");
  EXPECT_EQ(alias_fault(" a"), "a blank stands at its beginning or end");
}

}  // namespace
}  // namespace lunfs::iscsi
