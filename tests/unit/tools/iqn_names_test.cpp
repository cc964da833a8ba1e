#include "tools/iqn_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/temp_dir.h"
#include "tests/unit/tools/captured.h"

namespace lunfs::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::TempDir;

const std::string kOld = "iqn.2001-05.com.example:old";
const std::string kNew = "iqn.2001-05.com.example:new";

/// lunfs-iqn on a file of its own and a host of its own.
class IqnNames : public ::testing::Test {
 protected:
  struct Result {
    int status;
    std::string out;
    std::string err;
  };

  Result run(std::vector<std::string> words, bool with_file = true) {
    const Captured out;
    const Captured err;
    Program program("lunfs-iqn", "Names.", {out.stream(), err.stream()});
    add_iqn_name_commands(program, [this] {
      NameUseSources sources;
      sources.sysfs = dir_.path().string();
      return sources;
    });
    if (with_file) words.insert(words.end(), {"--file", file_});
    const int status = program.run(words);
    return {status, out.text(), err.text()};
  }
  void store(const std::string& text) const { std::ofstream(file_) << text; }
  [[nodiscard]] std::string stored() const {
    std::ifstream file(file_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void add_kernel_session(const std::string& initiator) const {
    const auto session = dir_.path() / "class/iscsi_session/session1";
    std::filesystem::create_directories(session);
    std::ofstream(session / "initiatorname") << initiator << "\n";
    std::ofstream(session / "targetname") << "iqn.2001-05.com.example:target\n";
  }

  TempDir dir_;
  std::string file_ = dir_.file("initiatorname.iscsi");
};

TEST_F(IqnNames, ShowTellsNameAliasAndFile) {
  store("InitiatorName=" + kOld + "\nInitiatorAlias=web 1\n");
  const Result result = run({"show"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("name    " + kOld + "\n"), HasSubstr("alias   web 1\n"),
                                HasSubstr("from    " + file_ + "\n"), HasSubstr("in use  no\n")));
}

TEST_F(IqnNames, ShowOfAHostWithoutANameFindsNothing) {
  const Result result = run({"show"});
  EXPECT_EQ(result.status, 21);
  EXPECT_THAT(result.err, AllOf(HasSubstr("no initiator name is stored"), HasSubstr(file_),
                                HasSubstr("lunfs-iqn generate --write")));
}

TEST_F(IqnNames, ShowTellsWhoUsesTheName) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kOld);
  EXPECT_THAT(run({"show"}).out, AllOf(HasSubstr("in use  by 1 session\n"), HasSubstr("session1"),
                                       HasSubstr("iqn.2001-05.com.example:target")));
  const Json facts = Json::parse(run({"show", "--json"}).out);
  EXPECT_EQ(facts["name"], kOld);
  EXPECT_EQ(facts["in_use"], true);
  EXPECT_EQ(facts["sessions"][0]["uses_name"], true);
}

TEST_F(IqnNames, SessionsUnderOtherNamesDoNotUseThisOne) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kNew);
  EXPECT_THAT(run({"show"}).out,
              AllOf(HasSubstr("in use  no\n"), HasSubstr("1 session under other names\n")));
  EXPECT_EQ(Json::parse(run({"show", "--json"}).out)["in_use"], false);
}

TEST_F(IqnNames, GenerateStoresNothingUnlessAsked) {
  const Result result = run({"generate"}, false);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, MatchesRegex("iqn\\.[0-9]{4}-[0-9]{2}\\.[a-z0-9.-]+:[0-9a-f]{8}\n"));
  EXPECT_EQ(run({"generate"}).status, 7);  // with --file, which says where
  EXPECT_EQ(stored(), "");
}

TEST_F(IqnNames, GenerateTakesAPrefixAndWrites) {
  const Result result = run({"generate", "--write", "--prefix", "iqn.2001-05.org.example"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(stored(), MatchesRegex("InitiatorName=iqn\\.2001-05\\.org\\.example:[0-9a-f]{8}\n"));
  EXPECT_EQ(run({"generate", "--prefix", "iqn.2001-05"}, false).status, 7);
}

TEST_F(IqnNames, SetReplacesTheNameAndSaysWhatToDo) {
  store("# comment\nInitiatorName=" + kOld + "\n");
  const Result result = run({"set", kNew});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(stored(), "# comment\nInitiatorName=" + kNew + "\n");
  EXPECT_THAT(result.out, HasSubstr("name       " + kNew + "\n"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("replaces " + kOld), HasSubstr("access list")));
}

TEST_F(IqnNames, SetStoresTheNormalFormAndSaysSo) {
  const Result result = run({"set", "IQN.2001-05.com.example:New"});
  EXPECT_EQ(stored(), "InitiatorName=" + kNew + "\n");
  EXPECT_THAT(result.err, HasSubstr("normal form, " + kNew));
}

TEST_F(IqnNames, SetOfWhatIsNoNameChangesNothingAndTellsEveryFault) {
  store("InitiatorName=" + kOld + "\n");
  const Result result = run({"set", "iqn.2001-13.com..example"});
  EXPECT_EQ(result.status, 7);
  EXPECT_THAT(result.err, AllOf(HasSubstr("month 13"), HasSubstr("empty part")));
  EXPECT_EQ(run({"set", kNew, "--alias", "a\nb"}).status, 7);
  EXPECT_EQ(stored(), "InitiatorName=" + kOld + "\n");
}

TEST_F(IqnNames, SetIsRefusedWhileASessionUsesTheName) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kOld);
  const Result result = run({"set", kNew});
  EXPECT_EQ(result.status, 28);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr(kOld + " is in use and was not changed:\n"),
                    HasSubstr("    the kernel's session1, iqn.2001-05.com.example:target\n"),
                    HasSubstr("  likely cause: "), HasSubstr("lunfs -u"), HasSubstr("--force")));
  EXPECT_EQ(run({"generate", "--write"}).status, 28);
  EXPECT_EQ(stored(), "InitiatorName=" + kOld + "\n");
}

TEST_F(IqnNames, ForceChangesTheNameAndSaysWhatMayBreak) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kOld);
  const Result result = run({"set", kNew, "--force"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(stored(), "InitiatorName=" + kNew + "\n");
  EXPECT_THAT(result.err, AllOf(HasSubstr("1 session goes on under " + kOld), HasSubstr("refuse"),
                                HasSubstr("session1")));
}

TEST_F(IqnNames, SessionsUnderOtherNamesAreNotInTheWay) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kNew);
  EXPECT_EQ(run({"set", kNew}).status, 0);
}

TEST_F(IqnNames, AliasAloneMayChangeWhileTheNameIsInUse) {
  store("InitiatorName=" + kOld + "\n");
  add_kernel_session(kOld);
  const Result result = run({"set", kOld, "--alias", "web 1"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(stored(), "InitiatorName=" + kOld + "\nInitiatorAlias=web 1\n");
  EXPECT_THAT(result.err, Not(HasSubstr("replaces")));
  EXPECT_EQ(run({"set", kOld, "--alias", ""}).status, 0);
  EXPECT_EQ(stored(), "InitiatorName=" + kOld + "\n");
}

TEST_F(IqnNames, SetOfWhatIsThereWritesNothing) {
  store("InitiatorName=" + kOld + "\n");
  const auto before = std::filesystem::last_write_time(file_);
  std::filesystem::last_write_time(file_, before - std::chrono::hours(1));
  EXPECT_EQ(run({"set", kOld}).status, 0);
  EXPECT_EQ(std::filesystem::last_write_time(file_), before - std::chrono::hours(1));
}

TEST_F(IqnNames, NonsenseInTheFileIsReplaced) {
  store("InitiatorName=nonsense\n");
  EXPECT_EQ(run({"show"}).status, 7);
  EXPECT_EQ(run({"set", kNew}).status, 0);
  EXPECT_EQ(stored(), "InitiatorName=" + kNew + "\n");
}

TEST_F(IqnNames, SetTellsItsFactsAsJson) {
  store("InitiatorName=" + kOld + "\n");
  const Json facts = Json::parse(run({"set", kNew, "--alias", "a", "--json"}).out);
  EXPECT_EQ(facts["name"], kNew);
  EXPECT_EQ(facts["alias"], "a");
  EXPECT_EQ(facts["was"], kOld);
  EXPECT_EQ(facts["file"], file_);
  EXPECT_TRUE(facts["sessions_under_old_name"].empty());
}

}  // namespace
}  // namespace lunfs::tools
