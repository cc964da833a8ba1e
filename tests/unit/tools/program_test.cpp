#include "tools/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "tests/unit/tools/captured.h"

namespace lunfs::tools {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A tool with the command "say WORD [--loud]" and one that fails.
class Tool : public testing::Test {
 protected:
  Tool() {
    CLI::App& say = program_.add_command("say", "says a word", [this] {
      program_.print(loud_ ? word_ + "!\n" : word_ + "\n");
      return 0;
    });
    say.add_option("WORD", word_, "what to say")->required();
    say.add_flag("--loud", loud_, "with emphasis");
    program_.add_command("fail", "fails", []() -> int {
      throw Error(ErrorKind::kAuth, "it failed").because("a reason").advise("a remedy");
    });
  }

  Captured out_;
  Captured err_;
  std::string word_;
  bool loud_ = false;
  Program program_{"lunfs-x", "Tries things.", {out_.stream(), err_.stream()}};
};

TEST_F(Tool, ACommandIsRunWithItsOptions) {
  EXPECT_EQ(program_.run({"say", "hello", "--loud"}), 0);
  EXPECT_EQ(out_.text(), "hello!\n");
  EXPECT_EQ(err_.text(), "");
}

TEST_F(Tool, AnErrorHasThreePartsAndItsStatus) {
  EXPECT_EQ(program_.run({"fail"}), 24);
  EXPECT_EQ(err_.text(), "lunfs-x: it failed\n  likely cause: a reason\n  what to do: a remedy\n");
  EXPECT_EQ(out_.text(), "");
}

TEST_F(Tool, AWordTooManyIsUsage) {
  EXPECT_EQ(program_.run({"say", "hello", "again"}), 7);
  EXPECT_THAT(err_.text(), HasSubstr("again"));
  EXPECT_THAT(err_.text(), HasSubstr("what to do: see lunfs-x --help or lunfs-x(8)"));
}

TEST_F(Tool, NoCommandIsUsage) { EXPECT_EQ(program_.run({}), 7); }

TEST_F(Tool, AnUnknownCommandIsUsage) { EXPECT_EQ(program_.run({"sing"}), 7); }

TEST_F(Tool, AMissingWordIsUsage) {
  EXPECT_EQ(program_.run({"say"}), 7);
  EXPECT_THAT(err_.text(), HasSubstr("WORD"));
}

TEST_F(Tool, HelpNamesTheCommands) {
  EXPECT_EQ(program_.run({"--help"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("Tries things."));
  EXPECT_THAT(out_.text(), HasSubstr("says a word"));
  EXPECT_EQ(err_.text(), "");
}

TEST_F(Tool, HelpOfACommandNamesItsOptions) {
  EXPECT_EQ(program_.run({"say", "-h"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("--loud"));
  EXPECT_THAT(out_.text(), HasSubstr("WORD"));
}

TEST_F(Tool, VersionIsTheProjects) {
  EXPECT_EQ(program_.run({"-V"}), 0);
  EXPECT_THAT(out_.text(), StartsWith("lunfs-x " LUNFS_VERSION));
}

TEST(Program, AFullDiskIsNoSuccess) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> full(std::fopen("/dev/full", "w"),
                                                             std::fclose);
  const Captured err;
  Program program("lunfs-x", "Tries things.", {full.get(), err.stream()});
  program.add_command("say", "says", [&program] {
    program.print("text\n");
    return 0;
  });
  EXPECT_EQ(program.run({"say"}), 1);
  EXPECT_THAT(err.text(), HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace lunfs::tools
