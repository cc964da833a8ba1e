#include "tools/iqn_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/tools/captured.h"
#include "tools/table.h"

namespace lunfs::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kGood = "iqn.2001-05.com.example:a";

struct Result {
  int status;
  std::string out;
  std::string err;
};

Result check(std::vector<std::string> words, const std::string& input = {}) {
  const Captured out;
  const Captured err;
  std::istringstream stream(input);
  Program program("lunfs-iqn", "Names.", {out.stream(), err.stream()});
  add_iqn_check_command(program, stream);
  words.insert(words.begin(), "check");
  const int status = program.run(words);
  return {status, out.text(), err.text()};
}

TEST(IqnCheck, GoodNamesAreCounted) {
  EXPECT_EQ(check({kGood}).out, "1 name, no fault\n");
  EXPECT_EQ(check({kGood, "iqn.2001-05.com.example:b"}).out, "2 names, no fault\n");
  EXPECT_EQ(check({kGood}).status, 0);
}

TEST(IqnCheck, FaultsAreALineEach) {
  const Result result = check({kGood, "iqn.2001-13.com..example"});
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out,
            "iqn.2001-13.com..example: month 13 does not exist\n"
            "iqn.2001-13.com..example: the domain has an empty part\n");
  EXPECT_EQ(result.err, "");
}

TEST(IqnCheck, DuplicatesInAListAreFoundWithTheirLines) {
  const Result result = check({"-"}, kGood + "\n\n" + kGood + "\n");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out,
            "line 3: " + kGood + ": the same name as line 1: two hosts must not share one\n");
}

TEST(IqnCheck, WordsAndListAreOneSet) {
  EXPECT_THAT(check({kGood, "-"}, kGood).out, HasSubstr("line 1: " + kGood));
}

TEST(IqnCheck, WhatMayBeASecretOfAnotherFileIsNotRepeated) {
  const Result result = check({"-"}, "password=hunter2\n");
  EXPECT_EQ(result.status, 7);
  EXPECT_THAT(result.out, AllOf(HasSubstr("line 1: "), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(check({"-", "--json"}, "password=hunter2\n").out, Not(HasSubstr("hunter2")));
}

TEST(IqnCheck, EmptyListIsNothingFound) {
  EXPECT_EQ(check({"-"}, "# none\n").status, 21);
  EXPECT_EQ(check({}).status, 7);
}

TEST(IqnCheck, ListThatCannotBeReadIsNoEmptyOne) {
  const Captured out;
  const Captured err;
  std::ifstream folder("/");  // opens, and cannot be read
  Program program("lunfs-iqn", "Names.", {out.stream(), err.stream()});
  add_iqn_check_command(program, folder);
  EXPECT_EQ(program.run({"check", "-"}), 1);
  EXPECT_THAT(err.text(), AllOf(HasSubstr("the list cannot be read"), HasSubstr("likely cause"),
                                HasSubstr("what to do")));
}

TEST(IqnCheck, EmptyNameIsAFault) { EXPECT_EQ(check({""}).out, "'': it is empty\n"); }

TEST(IqnCheck, ListHasABound) {
  EXPECT_EQ(check({"-"}, std::string((1 << 20) + 1, '#')).status, 7);
}

TEST(IqnCheck, JsonHasEveryName) {
  const Json document = Json::parse(check({"--json", kGood, "x"}).out);
  EXPECT_EQ(document["good"], false);
  EXPECT_EQ(document["names"][0]["good"], true);
  EXPECT_EQ(document["names"][0]["normal_form"], kGood);
  EXPECT_EQ(document["names"][1]["faults"].size(), 1U);
}

}  // namespace
}  // namespace lunfs::tools
