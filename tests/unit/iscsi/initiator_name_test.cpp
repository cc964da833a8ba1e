#include "iscsi/initiator_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "iscsi/initiator_store.h"
#include "tests/support/temp_dir.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;

void store(const std::string& path, const std::string& name) {
  std::ofstream(path) << "InitiatorName=" << name << "\n";
}

/// As root: an ordinary user until this ends.
class OrdinaryUser {
 public:
  OrdinaryUser() {
    if (root_) {
      EXPECT_EQ(seteuid(65534), 0);
    }
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() {
    if (root_) {
      EXPECT_EQ(seteuid(0), 0);
    }
  }

 private:
  bool root_ = geteuid() == 0;
};

TEST(InitiatorName, FirstPlaceWithANameCounts) {
  const TempDir dir;
  const std::vector<std::string> places = {dir.file("user"), dir.file("system")};
  EXPECT_FALSE(find_initiator_name(places));
  store(dir.file("system"), "iqn.2001-05.com.example:system");
  EXPECT_EQ(find_initiator_name(places)->name, "iqn.2001-05.com.example:system");
  EXPECT_EQ(find_initiator_name(places)->origin, dir.file("system"));
  store(dir.file("user"), "iqn.2001-05.com.example:user");
  EXPECT_EQ(find_initiator_name(places)->name, "iqn.2001-05.com.example:user");
}

TEST(InitiatorName, PlaceThatMayNotBeReadIsSkippedOnlyBehindTheFirst) {
  const TempDir dir;
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  store(dir.file("closed"), "iqn.2001-05.com.example:x");
  ASSERT_EQ(chmod(dir.file("closed").c_str(), 0), 0);
  const OrdinaryUser user;
  EXPECT_FALSE(find_initiator_name({dir.file("none"), dir.file("closed")}));
  EXPECT_THROW(find_initiator_name({dir.file("closed"), dir.file("none")}), Error);
}

TEST(InitiatorName, HostWithoutOneGetsOneThatIsStoredAndTold) {
  const TempDir dir;
  const InitiatorName first = initiator_name_of_host({dir.file("f"), dir.file("other")});
  EXPECT_EQ(first.origin, dir.file("f"));
  EXPECT_THAT(first.notice, HasSubstr("made " + first.name + " and stored it in " + dir.file("f")));
  EXPECT_EQ(load_initiator_name(dir.file("f"))->name.text(), first.name);
  const InitiatorName second = initiator_name_of_host({dir.file("f"), dir.file("other")});
  EXPECT_EQ(second.name, first.name);
  EXPECT_THAT(second.notice, IsEmpty());
}

TEST(InitiatorName, TwoHostsGetDifferentOnes) {
  const TempDir dir;
  EXPECT_NE(initiator_name_of_host({dir.file("a")}).name,
            initiator_name_of_host({dir.file("b")}).name);
}

TEST(InitiatorName, WhereNothingCanBeStoredTheMachinesNameStandsIn) {
  const InitiatorName once = initiator_name_of_host({"/proc/none/initiatorname.iscsi"});
  EXPECT_THAT(once.notice, HasSubstr("none could be stored"));
  EXPECT_THAT(once.notice, HasSubstr(once.name));
  EXPECT_EQ(initiator_name_of_host({"/proc/none/initiatorname.iscsi"}).name, once.name);
}

TEST(InitiatorName, AliasThatCannotBeSentIsLeftOut) {
  const TempDir dir;
  store(dir.file("f"), "iqn.2001-05.com.example:x");
  std::ofstream(dir.file("f"), std::ios::app) << "InitiatorAlias=" << std::string(300, 'a') << "\n";
  EXPECT_EQ(find_initiator_name({dir.file("f")})->alias.size(), 300U);
  EXPECT_THAT(initiator_name_of_host({dir.file("f")}).alias, IsEmpty());
}

TEST(InitiatorName, StoredNameThatIsNoneIsNotReplaced) {
  const TempDir dir;
  store(dir.file("f"), "nonsense");
  EXPECT_THROW(initiator_name_of_host({dir.file("f")}), Error);
}

}  // namespace
}  // namespace lunfs::iscsi
