#include "fs/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"

namespace lunfs::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

MountOptions mount_with(const std::string& options) {
  return parse_command({"/dev/lun", "/mnt", "-o", options}).mount;
}

std::string usage_error(const std::vector<std::string>& words) {
  try {
    parse_command(words);
  } catch (const Error& error) {
    EXPECT_TRUE(error.kind() == ErrorKind::kUsage || error.kind() == ErrorKind::kUnsupported);
    return error.message();
  }
  return "no error";
}

TEST(Options, DefaultsAreThoseOfTheManual) {
  const MountOptions options = parse_command({"/dev/lun", "/mnt"}).mount;
  EXPECT_EQ(options.timeout.count(), 120);
  EXPECT_EQ(options.path_timeout.count(), 15);
  EXPECT_EQ(options.login_timeout.count(), 15);
  EXPECT_EQ(options.cache, CacheMode::kAuto);
  EXPECT_EQ(options.umask, 0077U);
  EXPECT_EQ(options.uid, geteuid());
  EXPECT_TRUE(options.sync_on_close);
  EXPECT_EQ(options.vhd_cache_bytes, 64U << 20U);
  EXPECT_EQ(options.journal_bytes, 64U << 20U);
  EXPECT_EQ(options.scheduling, Scheduling::kBatch);
  EXPECT_FALSE(options.read_only);
  EXPECT_FALSE(options.detached);
  EXPECT_FALSE(options.allow_other);
  EXPECT_FALSE(options.foreground);
}

TEST(Options, PortalsAddUp) {
  const MountOptions options = mount_with("portal=b,portal=[::1]:3261,portal=discover");
  ASSERT_EQ(options.portals.size(), 2U);
  EXPECT_EQ(options.portals[0].text(), "b:3260");
  EXPECT_EQ(options.portals[1].text(), "[::1]:3261");
  EXPECT_TRUE(options.discover_portals);
  EXPECT_FALSE(mount_with("ro").discover_portals);
}

TEST(Options, PortalsAreSixteenAtMostWithTheUrls) {
  std::string words = "portal=p1";
  for (int i = 2; i <= 15; ++i) words += ",portal=p" + std::to_string(i);
  EXPECT_EQ(mount_with(words).portals.size(), 15U);
  EXPECT_THROW(mount_with(words + ",portal=p16"), Error);
}

TEST(Options, EveryOptionIsTaken) {
  const MountOptions options = mount_with(
      "ro,detached,allow_other,uid=12,gid=34,umask=027,credentials=/c,"
      "initiator=iqn.2026-11.example:me,timeout=0,path_timeout=3,login_timeout=4,cache=none,"
      "sessions=1,sync_on_close=no,scheduling=normal,vhd_cache=3,journal=0,log=warn,log_file=/"
      "l,fsname=san,subtype=x,noexec");
  EXPECT_TRUE(options.read_only);
  EXPECT_TRUE(options.detached);
  EXPECT_TRUE(options.allow_other);
  EXPECT_EQ(options.uid, 12U);
  EXPECT_EQ(options.gid, 34U);
  EXPECT_EQ(options.umask, 027U);
  EXPECT_EQ(options.credentials, "/c");
  EXPECT_EQ(options.initiator, "iqn.2026-11.example:me");
  EXPECT_EQ(options.timeout.count(), 0);
  EXPECT_EQ(options.path_timeout.count(), 3);
  EXPECT_EQ(options.login_timeout.count(), 4);
  EXPECT_EQ(options.cache, CacheMode::kNone);
  EXPECT_FALSE(options.sync_on_close);
  EXPECT_EQ(options.vhd_cache_bytes, 3U << 20U);
  EXPECT_EQ(options.journal_bytes, 0U);
  EXPECT_EQ(options.scheduling, Scheduling::kNormal);
  EXPECT_EQ(options.log_level, log::Level::kWarn);
  EXPECT_EQ(options.log_file, "/l");
  EXPECT_EQ(options.fsname, "san");
  EXPECT_EQ(options.subtype, "x");
  EXPECT_THAT(options.kernel_options, ElementsAre("noexec"));
}

TEST(Options, WordsOfFstabAreAcceptedAndChangeNothing) {
  const MountOptions options = mount_with(
      "_netdev,nofail,noauto,auto,user,user=joe,users,owner,group,defaults,sync,async,atime,"
      "noatime,relatime,comment=a b,x-systemd.automount,x-systemd.requires=network.target,"
      "diratime,nodiratime,norelatime,lazytime,nolazytime,nostrictatime,iversion,noiversion,mand,"
      "nomand,dev,suid,dirsync,symfollow,nousers,noowner,nogroup,X-mount.mkdir,X-mount.mode=755");
  EXPECT_FALSE(options.read_only);
  EXPECT_TRUE(options.kernel_options.empty());
}

TEST(Options, LabelsAreForTheKernel) {
  EXPECT_THAT(mount_with("context=system_u:object_r:fusefs_t:s0,rootcontext=r").kernel_options,
              ElementsAre("context=system_u:object_r:fusefs_t:s0", "rootcontext=r"));
}

TEST(Options, RemountIsRefusedByName) {
  try {
    static_cast<void>(mount_with("remount,ro"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.message(), HasSubstr("remount"));
  }
}

TEST(Options, LastOfRoAndRwWins) {
  EXPECT_FALSE(mount_with("ro,rw").read_only);
  EXPECT_TRUE(mount_with("rw,ro").read_only);
}

TEST(Options, SeveralOptionWordsAddUp) {
  const MountOptions options =
      parse_command({"-o", "ro", "/dev/lun", "-o", "detached", "/mnt"}).mount;
  EXPECT_TRUE(options.read_only);
  EXPECT_TRUE(options.detached);
  EXPECT_EQ(options.source, "/dev/lun");
}

TEST(Options, BackslashKeepsACommaInAValue) {
  EXPECT_EQ(mount_with("credentials=/a\\,b,ro").credentials, "/a,b");
}

TEST(Options, RelativePathsBecomeAbsolute) {
  const MountOptions options = parse_command({"lun.img", "mnt/../mnt2"}).mount;
  const auto here = std::filesystem::current_path();
  EXPECT_EQ(options.source, (here / "lun.img").string());
  EXPECT_EQ(options.mount_point, (here / "mnt2").string());
}

TEST(Options, UrlStaysAsItIs) {
  const std::string url = "iscsi://bob@san/iqn.2026-11.example:t/1";
  EXPECT_EQ(parse_command({url, "/mnt"}).mount.source, url);
}

TEST(Options, DebugMeansForegroundAndEveryRequest) {
  const MountOptions options = parse_command({"/dev/lun", "/mnt", "-d"}).mount;
  EXPECT_TRUE(options.foreground);
  EXPECT_EQ(options.log_level, log::Level::kDebug);
}

TEST(Options, PasswordAmongTheOptionsIsRefusedWithoutRepeatingIt) {
  const std::string message = usage_error({"/dev/lun", "/mnt", "-o", "password=hunter2"});
  EXPECT_THAT(message, HasSubstr("password"));
  EXPECT_THAT(message, Not(HasSubstr("hunter2")));
}

struct BadWords {
  std::string name;
  std::vector<std::string> words;
  std::string expected;
};

class OptionsRefuse : public ::testing::TestWithParam<BadWords> {};

TEST_P(OptionsRefuse, NamesTheWordAtFault) {
  EXPECT_THAT(usage_error(GetParam().words), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Table, OptionsRefuse,
    ::testing::Values(
        BadWords{"unknown", {"/l", "/m", "-o", "frobnicate"}, "unknown option 'frobnicate'"},
        BadWords{"unknown_value", {"/l", "/m", "-o", "frob=1"}, "unknown option 'frob'"},
        BadWords{"no_value", {"/l", "/m", "-o", "timeout"}, "timeout takes a value"},
        BadWords{"empty_value", {"/l", "/m", "-o", "timeout="}, "timeout takes a value"},
        BadWords{"not_a_number", {"/l", "/m", "-o", "timeout=1x"}, "timeout=1x"},
        BadWords{"negative", {"/l", "/m", "-o", "timeout=-1"}, "timeout=-1"},
        BadWords{"too_long", {"/l", "/m", "-o", "timeout=86401"}, "from 0 to 86400"},
        BadWords{"zero_login", {"/l", "/m", "-o", "login_timeout=0"}, "from 1"},
        BadWords{"umask_not_octal", {"/l", "/m", "-o", "umask=8"}, "umask=8"},
        BadWords{"umask_too_large", {"/l", "/m", "-o", "umask=1000"}, "umask=1000"},
        BadWords{"scheduling", {"/l", "/m", "-o", "scheduling=fifo"}, "batch or normal"},
        BadWords{"cache", {"/l", "/m", "-o", "cache=maybe"}, "auto or none"},
        BadWords{"log", {"/l", "/m", "-o", "log=loud"}, "error, warn, info or debug"},
        BadWords{"sync", {"/l", "/m", "-o", "sync_on_close=1"}, "yes or no"},
        BadWords{"no_vhd_cache", {"/l", "/m", "-o", "vhd_cache=0"}, "from 1 to 65536"},
        BadWords{"vhd_cache_too_large", {"/l", "/m", "-o", "vhd_cache=65537"}, "from 1 to 65536"},
        BadWords{"journal_too_large", {"/l", "/m", "-o", "journal=1025"}, "from 0 to 1024"},
        BadWords{"vhd_cache_with_unit", {"/l", "/m", "-o", "vhd_cache=64M"}, "vhd_cache=64M"},
        BadWords{"initiator", {"/l", "/m", "-o", "initiator=me"}, "me"},
        BadWords{"no_session", {"/l", "/m", "-o", "sessions=0"}, "from 1 to 8"},
        BadWords{"sessions", {"/l", "/m", "-o", "sessions=9"}, "from 1 to 8"},
        BadWords{"portal", {"/l", "/m", "-o", "portal=b:x"}, "option portal=b:x: "},
        BadWords{"one_word", {"/l"}, "two words"}, BadWords{"no_words", {}, "two words"},
        BadWords{"three_words", {"/l", "/m", "/n"}, "2 required"},
        BadWords{"flag", {"/l", "/m", "--frob"}, "--frob"},
        BadWords{"unmount_and_more", {"-u", "/m", "-o", "ro"}, "nothing else"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Options, UnmountTakesItsDirectory) {
  const Command command = parse_command({"-u", "/mnt/sr"});
  EXPECT_EQ(command.kind, Command::Kind::kUnmount);
  EXPECT_EQ(command.unmount_point, "/mnt/sr");
}

TEST(Options, SwallowedCommandGoesAgainBeforeItsCallerHasWaitedTooLong) {
  MountOptions options;
  EXPECT_EQ(options.command_timeout(), std::chrono::seconds(60));
  options.timeout = std::chrono::seconds(7);
  EXPECT_EQ(options.command_timeout(), std::chrono::seconds(3));
  options.timeout = std::chrono::hours(1);
  EXPECT_EQ(options.command_timeout(), std::chrono::minutes(30));
}

TEST(Options, CommandHasASecondAtLeast) {
  MountOptions options;
  options.timeout = std::chrono::seconds(1);
  EXPECT_EQ(options.command_timeout(), std::chrono::seconds(1));
}

TEST(Options, CommandHasFiveMinutesWhereIoWaitsForEver) {
  MountOptions options;
  options.timeout = std::chrono::seconds(0);
  EXPECT_EQ(options.command_timeout(), std::chrono::minutes(5));
}

TEST(Options, HelpNamesEveryOption) {
  const std::string help = help_text();
  for (const char* word : {"ro",
                           "rw",
                           "detached",
                           "credentials=",
                           "initiator=",
                           "timeout=",
                           "login_timeout=",
                           "path_timeout=",
                           "cache=",
                           "sync_on_close=",
                           "vhd_cache=",
                           "journal=",
                           "scheduling=",
                           "uid=",
                           "gid=",
                           "umask=",
                           "allow_other",
                           "log=",
                           "log_file=",
                           "fsname=",
                           "subtype="}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
}

}  // namespace
}  // namespace lunfs::fs
