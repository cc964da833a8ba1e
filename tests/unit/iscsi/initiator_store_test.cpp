#include "iscsi/initiator_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "base/error.h"
#include "tests/support/temp_dir.h"

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TempDir;

const Iqn kOld = Iqn::parse("iqn.2001-05.com.example:old");
const Iqn kNew = Iqn::parse("iqn.2001-05.com.example:new");

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status;
}

std::ptrdiff_t files_in(const TempDir& dir) {
  return std::distance(std::filesystem::directory_iterator(dir.path()), {});
}

template <typename Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "no error"};
}

TEST(InitiatorStore, NoFileAndNoNameAreNoName) {
  const TempDir dir;
  EXPECT_FALSE(load_initiator_name(dir.file("none")));
  EXPECT_FALSE(load_initiator_name(dir.file("none/none")));
  write_file(dir.file("empty"), "# nothing\n");
  EXPECT_FALSE(load_initiator_name(dir.file("empty")));
}

TEST(InitiatorStore, NameComesBackInItsNormalForm) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=IQN.2001-05.com.example:Old\nInitiatorAlias=web 1\n");
  const auto stored = load_initiator_name(dir.file("f"));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->name, kOld);
  EXPECT_EQ(stored->alias, "web 1");
}

TEST(InitiatorStore, NameThatIsNoneIsAnErrorThatNamesTheFile) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=iqn.2001-13.com.example:x\n");
  const Error error = error_of([&] { load_initiator_name(dir.file("f")); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.message(), HasSubstr(dir.file("f")));
  EXPECT_THAT(error.message(), HasSubstr("month 13"));
}

TEST(InitiatorStore, WhatIsNoRegularFileIsRefusedAtOnce) {
  const TempDir dir;
  ASSERT_EQ(mkfifo(dir.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { load_initiator_name(dir.file("fifo")); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(error_of([&] { load_initiator_name("/dev/zero"); }).kind(), ErrorKind::kUsage);
}

TEST(InitiatorStore, FileLargerThanItsBoundIsRefused) {
  const TempDir dir;
  write_file(dir.file("f"), std::string(64 * 1024, '#') + "\n");
  EXPECT_THAT(error_of([&] { load_initiator_name(dir.file("f")); }).message(),
              HasSubstr("longer than 65536 bytes"));
}

TEST(InitiatorStore, NewFileIsForItsOwnerOnlyAndItsFolderIsMade) {
  const TempDir dir;
  const std::string path = dir.file("a/b/initiatorname.iscsi");
  store_initiator_name(path, kNew, "web 1");
  EXPECT_EQ(text_of(path), "InitiatorName=iqn.2001-05.com.example:new\nInitiatorAlias=web 1\n");
  EXPECT_EQ(status_of(path).st_mode & 07777U, 0600U);
}

TEST(InitiatorStore, ModeOwnerAndTheRestOfTheFileAreKept) {
  const TempDir dir;
  const std::string path = dir.file("f");
  write_file(path, "# by hand\nInitiatorName=iqn.2001-05.com.example:old\nInitiatorAlias=a\n");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(chown(path.c_str(), 1234, 4321), 0);
  }
  store_initiator_name(path, kNew, std::nullopt);
  EXPECT_EQ(text_of(path),
            "# by hand\nInitiatorName=iqn.2001-05.com.example:new\nInitiatorAlias=a\n");
  EXPECT_EQ(status_of(path).st_mode & 07777U, 0640U);
  EXPECT_EQ(status_of(path).st_uid, root ? 1234U : geteuid());
  EXPECT_EQ(status_of(path).st_gid, root ? 4321U : getegid());
}

TEST(InitiatorStore, FileIsReplacedNotWrittenInto) {
  const TempDir dir;
  const std::string path = dir.file("f");
  write_file(path, "InitiatorName=iqn.2001-05.com.example:old\n");
  std::ifstream reader(path);
  const ino_t before = status_of(path).st_ino;
  store_initiator_name(path, kNew, std::nullopt);
  EXPECT_NE(status_of(path).st_ino, before);
  std::string seen;
  std::getline(reader, seen);
  EXPECT_EQ(seen, "InitiatorName=iqn.2001-05.com.example:old");
  EXPECT_EQ(files_in(dir), 1);
}

TEST(InitiatorStore, LinkIsFollowed) {
  const TempDir dir;
  write_file(dir.file("true"), "InitiatorName=iqn.2001-05.com.example:old\n");
  ASSERT_EQ(symlink("true", dir.file("link").c_str()), 0);
  store_initiator_name(dir.file("link"), kNew, std::nullopt);
  EXPECT_TRUE(std::filesystem::is_symlink(dir.path() / "link"));
  EXPECT_EQ(load_initiator_name(dir.file("true"))->name, kNew);
}

TEST(InitiatorStore, LinkThatLeadsNowhereNamesTheFileToBeMade) {
  const TempDir dir;
  ASSERT_EQ(symlink("kept/true", dir.file("link").c_str()), 0);
  store_initiator_name(dir.file("link"), kNew, std::nullopt);
  EXPECT_TRUE(std::filesystem::is_symlink(dir.path() / "link"));
  EXPECT_EQ(load_initiator_name(dir.file("kept/true"))->name, kNew);
}

TEST(InitiatorStore, LinksInACircleAreAnErrorThatSaysSo) {
  const TempDir dir;
  ASSERT_EQ(symlink("link", dir.file("link").c_str()), 0);
  for (const Error& error :
       {error_of([&] { load_initiator_name(dir.file("link")); }),
        error_of([&] { store_initiator_name(dir.file("link"), kNew, std::nullopt); })}) {
    EXPECT_THAT(error.message(), HasSubstr("Too many levels of symbolic links"));
    EXPECT_THAT(error.cause(), Not(HasSubstr("root")));
    EXPECT_NE(error.remedy(), "");
  }
}

TEST(InitiatorStore, NameOfAFileAloneMeansTheCurrentFolder) {
  const TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  const Error error = error_of([] { store_initiator_name("f", kNew, std::nullopt); });
  std::filesystem::current_path(before);
  EXPECT_EQ(error.message(), "no error");
  EXPECT_EQ(load_initiator_name(dir.file("f"))->name, kNew);
}

TEST(InitiatorStore, EmptyPathIsUsage) {
  EXPECT_EQ(error_of([] { store_initiator_name("", kNew, std::nullopt); }).kind(),
            ErrorKind::kUsage);
}

TEST(InitiatorStore, NameThatIsNoneIsReplaced) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=nonsense\n");
  store_initiator_name(dir.file("f"), kNew, std::nullopt);
  EXPECT_EQ(load_initiator_name(dir.file("f"))->name, kNew);
}

/// Lets no file grow past `bytes`, for root as well.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(InitiatorStore, FailureLeavesTheOldFileAndNothingElse) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=iqn.2001-05.com.example:old\n");
  {
    const FileSizeLimit full(10);
    EXPECT_EQ(error_of([&] { store_initiator_name(dir.file("f"), kNew, std::nullopt); }).kind(),
              ErrorKind::kIo);
  }
  EXPECT_EQ(load_initiator_name(dir.file("f"))->name, kOld);
  EXPECT_EQ(files_in(dir), 1);
}

TEST(InitiatorStore, FailureSaysWhyAndWhatToDo) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=iqn.2001-05.com.example:old\n");
  const FileSizeLimit full(10);
  const Error error = error_of([&] { store_initiator_name(dir.file("f"), kNew, std::nullopt); });
  EXPECT_EQ(error.message(), "writing " + dir.file("f") + ": File too large");
  EXPECT_NE(error.cause(), "");
  EXPECT_THAT(error.remedy(), HasSubstr("unchanged"));
}

TEST(InitiatorStore, StoredNameComesBeforeANewOne) {
  const TempDir dir;
  write_file(dir.file("f"), "InitiatorName=iqn.2001-05.com.example:old\n");
  EXPECT_EQ(load_or_store_initiator_name(dir.file("f"), kNew).name, kOld);
  write_file(dir.file("g"), "GenerateName=yes\n");
  EXPECT_EQ(load_or_store_initiator_name(dir.file("g"), kNew).name, kNew);
  EXPECT_EQ(text_of(dir.file("g")), "InitiatorName=iqn.2001-05.com.example:new\n");
}

TEST(InitiatorStore, ManyAtOnceGetOneName) {
  const TempDir dir;
  constexpr int kCallers = 16;
  std::vector<std::string> got(kCallers);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCallers; ++i) {
      threads.emplace_back([&, i] {
        const Iqn own = Iqn::parse("iqn.2001-05.com.example:caller" + std::to_string(i));
        got[static_cast<std::size_t>(i)] =
            load_or_store_initiator_name(dir.file("sub/f"), own).name.text();
      });
    }
  }
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), 1U);
  EXPECT_EQ(load_initiator_name(dir.file("sub/f"))->name.text(), got.front());
}

TEST(InitiatorStore, RootsPlaceIsOpenIscsisAndUsersHaveTheirOwnInFront) {
  setenv("XDG_CONFIG_HOME", "/home/u/conf", 1);
  if (geteuid() == 0) {
    EXPECT_THAT(initiator_name_places(), ElementsAre("/etc/iscsi/initiatorname.iscsi"));
  } else {
    EXPECT_THAT(initiator_name_places(), ElementsAre("/home/u/conf/lunfs/initiatorname.iscsi",
                                                     "/etc/iscsi/initiatorname.iscsi"));
  }
}

}  // namespace
}  // namespace lunfs::iscsi
