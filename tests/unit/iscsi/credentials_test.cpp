#include "iscsi/credentials.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"
#include "tests/support/temp_dir.h"

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Iqn kTarget = Iqn::parse("iqn.2026-11.example:sr");
const PortalAddress kPortal{"san.example", 3260};

std::string fault_of(const std::string& text) {
  try {
    Credentials::parse(text, "file");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    return three_part_text(error);
  }
  return "no fault";
}

TEST(Credentials, TargetsSectionComesFirstThenPortalThenHostThenDefault) {
  const std::string in_default = "[default]\nusername=d\npassword=dp\n";
  const std::string in_host = "[SAN.example]\nusername=h\npassword=hp\n";
  const std::string in_portal = "[san.example:3260]\nusername=p\npassword=pp\n";
  const std::string in_target = "[IQN.2026-11.example:SR]\nusername=t\npassword=tp\n";
  std::string text = in_default;
  const auto found = [&] {
    return Credentials::parse(text, "file").for_login(kTarget, kPortal, {}).username;
  };
  EXPECT_EQ(found(), "d");
  text += in_host;
  EXPECT_EQ(found(), "h");
  text += in_portal;
  EXPECT_EQ(found(), "p");
  text += in_target;
  EXPECT_EQ(found(), "t");
}

TEST(Credentials, AnotherPortsOrTargetsSectionIsNotTaken) {
  const auto credentials = Credentials::parse(
      "[san.example:3261]\nusername=p\npassword=pp\n"
      "[iqn.2026-11.example:other]\nusername=t\npassword=tp\n",
      "file");
  EXPECT_FALSE(credentials.for_login(kTarget, kPortal, {}).offered());
}

TEST(Credentials, EveryKeyArrives) {
  const auto credentials = Credentials::parse(
      "# comment\r\n; another\n  [ default ]  \n username = al ice \npassword= a=b#c;d \n"
      "username_in=target\npassword_in=other secret\n"
      "discovery_username=du\ndiscovery_password=dp\n"
      "discovery_username_in=dui\ndiscovery_password_in=dpi",
      "file");
  const Chap login = credentials.for_login(kTarget, kPortal, {});
  EXPECT_EQ(login.username, "al ice");
  EXPECT_EQ(login.password, "a=b#c;d");
  EXPECT_EQ(login.username_in, "target");
  EXPECT_EQ(login.password_in, "other secret");
  EXPECT_TRUE(login.mutual());
  const Chap discovery = credentials.for_discovery(kPortal);
  EXPECT_EQ(discovery.username, "du");
  EXPECT_EQ(discovery.password, "dp");
  EXPECT_EQ(discovery.username_in, "dui");
  EXPECT_EQ(discovery.password_in, "dpi");
}

TEST(Credentials, SectionWithDiscoveryKeysOnlyDoesNotHideTheDefault) {
  const auto credentials = Credentials::parse(
      "[default]\nusername=d\npassword=p\n"
      "[san.example]\ndiscovery_username=x\ndiscovery_password=y\n",
      "file");
  EXPECT_EQ(credentials.for_login(kTarget, kPortal, {}).username, "d");
  EXPECT_EQ(credentials.for_discovery(kPortal).username, "x");
}

TEST(Credentials, Ipv6SectionsMatch) {
  const auto credentials = Credentials::parse(
      "[[fd00::1]]\nusername=u\npassword=p\n"
      "[[fd00::1]:861]\nusername=v\npassword=q\n",
      "file");
  EXPECT_EQ(credentials.for_login(kTarget, {"fd00::1", 3260}, {}).username, "u");
  EXPECT_EQ(credentials.for_login(kTarget, {"fd00::1", 861}, {}).username, "v");
}

TEST(Credentials, UserOfTheUrlMustBeTheOneFound) {
  const auto credentials = Credentials::parse("[default]\nusername=alice\npassword=p\n", "file");
  EXPECT_EQ(credentials.for_login(kTarget, kPortal, "alice").username, "alice");
  try {
    static_cast<void>(credentials.for_login(kTarget, kPortal, "bob"));
    ADD_FAILURE() << "another user was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.message(), HasSubstr("user bob, the credentials are for alice"));
  }
}

TEST(Credentials, RefuseWithLineAndNeverRepeatTheLine) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {"hunter2", "file:1: neither [section]"},
      {"username=hunter2", "file:1: a key stands in front"},
      {"[default]\nhunter2", "file:2: neither [section]"},
      {"[default]\nhunter2=hunter2", "file:2: unknown key"},
      {"[default]\nUsername=hunter2", "file:2: unknown key"},
      {"[default]\ndiscovery_hunter2=x", "file:2: unknown key"},
      {"[default]\n\n\npassword=", "file:4: the value is empty"},
      {"[default]\npassword=a\npassword=hunter2", "file:3: the key was given before"},
      {"[default]\npassword=hunter2\tx", "file:2: the value holds a control character"},
      {"[default]\n[default]", "file:2: the section was there before"},
      {"[default", "file:1: the section's name does not end"},
      {"[]", "file:1: the section is named by neither"},
      {"[iqn.hunter2]", "file:1: the section is named by neither"},
      {"[hunter2 secret]", "file:1: the section is named by neither"},
      {"\n[default]\nusername=hunter2", "file:2: the section has only one of username"},
      {"[default]\npassword=hunter2\n[x]", "file:1: the section has only one of username"},
      {"[default]\nusername=a\npassword=b\nusername_in=hunter2", "only one of username_in"},
      {"[default]\nusername_in=hunter2\npassword_in=hunter2", "needs username"},
      {"[default]\ndiscovery_username=hunter2", "only one of discovery_username"},
      {"[default]\nusername=a\npassword=hunter2\nusername_in=b\npassword_in=hunter2",
       "password and password_in are equal"},
      {"[default]\ndiscovery_username=a\ndiscovery_password=hunter2\n"
       "discovery_username_in=b\ndiscovery_password_in=hunter2",
       "discovery_password and discovery_password_in are equal"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(fault_of(c.text), HasSubstr(c.fault)) << c.text;
    EXPECT_THAT(fault_of(c.text), Not(HasSubstr("hunter2"))) << c.text;
  }
}

TEST(Credentials, ValuesAreAtMost255BytesLong) {
  const std::string longest(255, 'x');
  EXPECT_EQ(fault_of("[default]\nusername=u\npassword=" + longest), "no fault");
  EXPECT_THAT(fault_of("[default]\nusername=u\npassword=" + longest + "x"),
              HasSubstr("longer than 255 bytes"));
}

class CredentialsFile : public ::testing::Test {
 protected:
  void write(mode_t mode) {
    std::ofstream(path_) << "[default]\nusername=u\npassword=hunter2\n";
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  ErrorKind load_fault(const char* text) {
    try {
      Credentials::load(path_);
    } catch (const Error& error) {
      EXPECT_THAT(three_part_text(error), HasSubstr(text));
      return error.kind();
    }
    ADD_FAILURE() << "it was loaded";
    return ErrorKind::kInternal;
  }

  testing::TempDir dir_;
  std::string path_ = dir_.file("credentials");
};

TEST_F(CredentialsFile, OfMode0600Or0400IsTaken) {
  for (const mode_t mode : {0600U, 0400U}) {
    unlink(path_.c_str());
    write(mode);
    EXPECT_EQ(Credentials::load(path_).for_login(kTarget, kPortal, {}).password, "hunter2");
  }
}

TEST_F(CredentialsFile, OfMode0440IsTakenIfRootAndItsGroupOwnIt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to have such a file";
  write(0440);
  ASSERT_EQ(chown(path_.c_str(), 0, 0), 0);
  EXPECT_EQ(Credentials::load(path_).for_login(kTarget, kPortal, {}).password, "hunter2");
  ASSERT_EQ(chown(path_.c_str(), 0, 12345), 0);
  EXPECT_EQ(load_fault("chmod 600"), ErrorKind::kPermission);
}

TEST_F(CredentialsFile, ThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0700U, 0610U, 04600U}) {
    write(mode);
    EXPECT_EQ(load_fault("chmod 600"), ErrorKind::kPermission) << mode;
  }
}

TEST_F(CredentialsFile, OfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  write(0600);
  ASSERT_EQ(chown(path_.c_str(), 12345, 0), 0);
  EXPECT_EQ(load_fault("owned by uid 12345"), ErrorKind::kPermission);
}

TEST_F(CredentialsFile, ThatIsNoRegularFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(load_fault("not a regular file"), ErrorKind::kPermission);
}

TEST_F(CredentialsFile, ThatIsMissingIsNotFound) {
  EXPECT_EQ(load_fault("credentials"), ErrorKind::kNotFound);
}

TEST_F(CredentialsFile, OfMoreThan64KiBIsRefused) {
  std::ofstream(path_) << std::string(65537, '#');
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(load_fault("longer than 65536 bytes"), ErrorKind::kUsage);
}

TEST(CredentialPlaces, OptionStandsAlone) {
  EXPECT_THAT(credential_places("x/y"), ElementsAre("x/y"));
}

TEST(CredentialPlaces, FollowTheEnvironment) {
  setenv("CREDENTIALS_DIRECTORY", "/run/c", 1);
  setenv("XDG_CONFIG_HOME", "/conf", 1);
  setenv("HOME", "/home/a", 1);
  EXPECT_THAT(credential_places({}),
              ElementsAre("/run/c/lunfs", "/conf/lunfs/credentials", "/etc/lunfs/credentials"));
  unsetenv("CREDENTIALS_DIRECTORY");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_THAT(credential_places({}),
              ElementsAre("/home/a/.config/lunfs/credentials", "/etc/lunfs/credentials"));
  unsetenv("XDG_CONFIG_HOME");
}

}  // namespace
}  // namespace lunfs::iscsi
