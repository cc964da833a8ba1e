// A plain VG that another host changes while it is mounted.
#include "fs/vg_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/run.h"
#include "fs/disk_table.h"
#include "tests/support/memory_device.h"
#include "tests/unit/lvm/lvm_image.h"

namespace lunfs::fs {
namespace {

using lvm::testing::kExtentBytes;
using lvm::testing::linear;
using lvm::testing::lv;
using lvm::testing::replaced;
using lvm::testing::vg_text;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::string with_seqno(const std::string& text, int seqno) {
  return replaced(text, "seqno = 7", "seqno = " + std::to_string(seqno));
}

/// LVs "a" (extents 0 and 1) and "b" (4 and 5).
const std::string kA = lv("a", 1, linear(1, 0, 2, 0));
const std::string kB = lv("b", 1, linear(1, 0, 2, 4));

class VgWatchTest : public ::testing::Test {
 protected:
  VgWatchTest() {
    RequestContext context = RequestContext::within(10s);
    catalog_ = run_until_done(reactor_, sr::read_current_catalog(context, lun_, reactor_, false));
    view_.emplace(catalog_, Ownership{.uid = 7, .gid = 8, .umask = 0}, "");
    watch_.emplace(*view_);
    disks_.emplace(reactor_, lun_, *catalog_, vhd::MetadataCache::kDefaultBytes);
    table_.emplace(*view_, *disks_);
    lun_.reset_counts();
  }

  /// Another host commits.
  void commit(const std::string& lvs, int seqno = 8) {
    lvm::testing::put_text(lun_.bytes(), lvm::testing::kArea, with_seqno(vg_text(lvs), seqno),
                           16384);
  }
  void look() {
    RequestContext context = RequestContext::within(10s);
    run_until_done(reactor_, watch_->look(context, lun_, reactor_));
  }
  /// The message of the Error that looking ends by.
  std::string refusal() {
    try {
      look();
    } catch (const Error& error) {
      EXPECT_FALSE(error.remedy().empty());
      return error.message();
    }
    return "none";
  }
  Node* node(const char* name) { return View::child(view_->root(), name); }

  Reactor reactor_;
  lunfs::testing::MemoryDevice lun_{lvm::testing::usual_image(vg_text(kA + kB))};
  std::shared_ptr<const sr::Catalog> catalog_;
  std::optional<View> view_;
  std::optional<VgWatch> watch_;
  std::optional<sr::Disks> disks_;
  std::optional<DiskTable> table_;
};

TEST_F(VgWatchTest, LookAtAVgThatIsTheSameReadsOneSector) {
  look();
  EXPECT_EQ(lun_.counts().reads, 1U);
  EXPECT_EQ(watch_->changes(), 0U);
  EXPECT_EQ(view_->edition(), 0U);
}

TEST_F(VgWatchTest, DiskThatIsTheSameKeepsItsInodeUnderAnotherName) {
  Node* const a = node("a");
  const std::uint64_t inode = a->inode;
  commit(replaced(kA, "\na {", "\nrenamed {") + kB);
  look();
  EXPECT_EQ(node("a"), nullptr);
  EXPECT_EQ(node("renamed"), a);
  EXPECT_EQ(a->inode, inode);
  EXPECT_FALSE(a->revocation.done());
  EXPECT_EQ(watch_->changes(), 1U);
}

TEST_F(VgWatchTest, GrownDiskHasItsNewSizeAtOnce) {
  Node* const a = node("a");
  const std::shared_ptr<BlockDevice> before = table_->of(*a);
  commit(lv("a", 2, linear(1, 0, 2, 0) + linear(2, 2, 3, 20)) + kB);
  look();
  EXPECT_EQ(node("a"), a);
  EXPECT_EQ(static_cast<std::uint64_t>(a->attributes.st_size), 5 * kExtentBytes);
  EXPECT_EQ(table_->of(*a)->geometry().size_bytes, 5 * kExtentBytes);
  EXPECT_EQ(before->geometry().size_bytes, 2 * kExtentBytes);  // a request that has it goes on
}

TEST_F(VgWatchTest, RequestsForARemovedDiskFailAlsoWhenAnotherOneHasItsExtents) {
  Node* const b = node("b");
  RequestContext under_way;
  under_way.revocation = &b->revocation;
  commit(kA + lv("thief", 1, linear(1, 0, 2, 4)));
  look();
  EXPECT_EQ(node("b"), nullptr);
  EXPECT_NE(node("thief"), nullptr);
  EXPECT_NE(node("thief"), b);
  try {
    under_way.check_revocation();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_THAT(error.message(), HasSubstr("LV b is no longer in VG vg0"));
    EXPECT_FALSE(error.cause().empty());
    EXPECT_FALSE(error.remedy().empty());
  }
  EXPECT_THROW(static_cast<void>(table_->of(*b)), Error);
  EXPECT_FALSE(node("a")->revocation.done());
  EXPECT_EQ(view_->find(b->inode), b) << "its handles still name it";
}

TEST_F(VgWatchTest, DiskOfTheSameUuidOnOtherExtentsIsAnotherInode) {
  Node* const b = node("b");
  commit(kA + lv("b", 1, linear(1, 0, 2, 30)));
  look();
  EXPECT_TRUE(b->revocation.done());
  EXPECT_NE(node("b"), b);
  EXPECT_NE(node("b")->inode, b->inode);
  EXPECT_FALSE(node("b")->revocation.done());
}

TEST_F(VgWatchTest, DiskThatMayNotBeWrittenAnyMoreIsAnotherOne) {
  Node* const a = node("a");
  ASSERT_EQ(a->attributes.st_mode & 0222U, 0222U);
  commit(replaced(kA, "\"WRITE\", ", "") + kB);
  look();
  EXPECT_TRUE(a->revocation.done());
  EXPECT_EQ(node("a")->attributes.st_mode & 0222U, 0U);
}

TEST_F(VgWatchTest, CommitThatWasGivenUpChangesNoDisk) {
  Node* const a = node("a");
  lun_.bytes()[4096 + 511] = std::byte{1};  // behind the slots
  lvm::testing::fix_header(lun_.bytes(), 4096);
  look();
  EXPECT_EQ(node("a"), a);
  EXPECT_FALSE(a->revocation.done());
}

TEST_F(VgWatchTest, OlderStateIsRefusedForGood) {
  commit(kA, 6);
  EXPECT_THAT(refusal(), HasSubstr("it went back from seqno 7 to 6"));
  EXPECT_TRUE(watch_->given_up());
  EXPECT_THROW(static_cast<void>(table_->of(*node("a"))), Error);
  commit(kA + kB, 9);
  EXPECT_THAT(refusal(), HasSubstr("it went back from seqno 7 to 6"));
}

TEST_F(VgWatchTest, AnotherVgIsRefusedForGood) {
  const std::string text = replaced(vg_text(kA + kB), "vgvgvg-0000", "xgxgxg-0000");
  lvm::testing::put_text(lun_.bytes(), lvm::testing::kArea, with_seqno(text, 8), 16384);
  EXPECT_THAT(refusal(), HasSubstr("it holds VG vg0 now"));
  EXPECT_TRUE(node("a")->revocation.done());
}

TEST_F(VgWatchTest, DamageIsRefusedForGood) {
  lun_.bytes()[4096 + 511] = std::byte{1};  // the header's checksum is wrong now
  EXPECT_THAT(refusal(), HasSubstr("the LVM metadata of VG vg0 changed"));
  EXPECT_TRUE(watch_->given_up());
}

TEST_F(VgWatchTest, GuardAgreesToAChangedVgAndRefusesAnotherOne) {
  const iscsi::ResumeGuard guard = watch_->guard(reactor_);
  RequestContext context = RequestContext::within(10s);
  commit(kA);
  EXPECT_FALSE(run_until_done(reactor_, guard(context, lun_)).has_value());
  EXPECT_EQ(node("b"), nullptr);
  commit(kA, 3);
  EXPECT_TRUE(run_until_done(reactor_, guard(context, lun_)).has_value());
}

TEST_F(VgWatchTest, UpdateFromAStateThatIsNoneAnyMoreChangesNothing) {
  commit(kA);
  look();
  EXPECT_FALSE(view_->update(catalog_, catalog_).has_value());
  EXPECT_EQ(node("b"), nullptr);
  EXPECT_EQ(view_->edition(), 1U);
}

TEST_F(VgWatchTest, OneOfManyUsersLooks) {
  EXPECT_TRUE(watch_->take_turn());
  EXPECT_FALSE(watch_->take_turn());
}

}  // namespace
}  // namespace lunfs::fs
