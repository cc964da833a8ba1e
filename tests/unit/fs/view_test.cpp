#include "fs/view.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fs/xattrs.h"
#include "tests/support/memory_device.h"

namespace lunfs::fs {
namespace {

constexpr std::uint64_t kExtent = 4096;
constexpr const char* kUuid = "11111111-2222-3333-4444-555555555555";

lvm::LogicalVolume lv(const std::string& name, std::uint32_t first_pe) {
  lvm::LogicalVolume result;
  result.name = name;
  result.size_bytes = kExtent;
  result.map = std::make_shared<const lvm::SegmentMap>(
      0, kExtent, std::vector<lvm::Segment>{{0, 1, 0, {{first_pe}}}});
  return result;
}

/// One VDI with a label, one VHD LV that has no file in the root.
std::shared_ptr<const sr::Catalog> catalog() {
  auto vg = std::make_shared<lvm::VolumeGroup>();
  vg->extent_bytes = kExtent;
  vg->volumes = {lv(std::string("LV-") + kUuid, 0), lv("VHD-x", 1)};
  auto result = std::make_shared<sr::Catalog>();
  result->vg = vg;
  sr::Volume volume;
  volume.file_name = std::string(kUuid) + ".raw";
  volume.lv_name = vg->volumes[0].name;
  volume.kind = "raw";
  volume.uuid = Uuid::parse(kUuid);
  volume.label = "web";
  volume.size_bytes = kExtent;
  result->volumes = {volume};
  result->links = {{.name = "web.raw", .file_name = volume.file_name}};
  result->lv_names = {vg->volumes[0].name, "VHD-x"};
  return result;
}

class ViewTest : public ::testing::Test {
 protected:
  View make(const std::string& reason = {}, mode_t umask = 0077) {
    return {catalog(), device_, {.uid = 7, .gid = 8, .umask = umask}, reason};
  }
  static Node& at(View& view, std::initializer_list<const char*> path) {
    Node* node = &view.root();
    for (const char* name : path) node = View::child(*node, name);
    return *node;
  }

  lunfs::testing::MemoryDevice device_{4 * kExtent};
};

TEST_F(ViewTest, ControlFolderIsReachableButNotListed) {
  View view = make();
  EXPECT_NE(View::child(view.root(), ".lunfs"), nullptr);
  std::set<std::string> listed;
  for (const auto& entry : view.root().entries) {
    if (entry.listed) listed.insert(entry.name);
  }
  EXPECT_EQ(listed, std::set<std::string>{std::string(kUuid) + ".raw"});
}

TEST_F(ViewTest, InodesAreTheSameInEveryMountAndNeverReserved) {
  View one = make();
  View two = make();
  const std::string file = std::string(kUuid) + ".raw";
  EXPECT_EQ(at(one, {file.c_str()}).inode, at(two, {file.c_str()}).inode);
  EXPECT_GT(at(one, {file.c_str()}).inode, 1U);
  EXPECT_EQ(one.root().inode, 1U);
}

TEST_F(ViewTest, LvEntryOfAVdiIsTheSameInode) {
  View view = make();
  const std::string lv_name = std::string("LV-") + kUuid;
  Node& lv_entry = at(view, {".lunfs", "lv", lv_name.c_str()});
  EXPECT_EQ(&lv_entry, View::child(view.root(), std::string(kUuid) + ".raw"));
}

TEST_F(ViewTest, DiskHasOneLinkAsCpUnlinksTargetsThatHaveMore) {
  View view = make();
  EXPECT_EQ(at(view, {(std::string(kUuid) + ".raw").c_str()}).attributes.st_nlink, 1U);
}

TEST_F(ViewTest, LvWithoutAFileIsReadOnlyBytes) {
  View view = make();
  const Node& node = at(view, {".lunfs", "lv", "VHD-x"});
  EXPECT_EQ(node.kind, NodeKind::kLvBytes);
  EXPECT_EQ(node.attributes.st_mode & 0777U, 0400U);
  EXPECT_TRUE(node.device->geometry().read_only);
  EXPECT_FALSE(node.read_only_reason.empty());
}

TEST_F(ViewTest, ModesComeFromTheUmask) {
  View strict = make();
  const std::string file = std::string(kUuid) + ".raw";
  EXPECT_EQ(at(strict, {file.c_str()}).attributes.st_mode, S_IFREG | 0600U);
  EXPECT_EQ(strict.root().attributes.st_mode, S_IFDIR | 0700U);
  View open = make({}, 0022);
  EXPECT_EQ(at(open, {file.c_str()}).attributes.st_mode, S_IFREG | 0644U);
  EXPECT_EQ(open.root().attributes.st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(open.root().attributes.st_uid, 7U);
  EXPECT_EQ(open.root().attributes.st_gid, 8U);
}

TEST_F(ViewTest, ReadOnlyMountMakesEveryVolumeReadOnly) {
  View view = make("mounted with -o ro");
  const Node& node = at(view, {(std::string(kUuid) + ".raw").c_str()});
  EXPECT_EQ(node.read_only_reason, "mounted with -o ro");
  EXPECT_TRUE(node.device->geometry().read_only);
  EXPECT_EQ(node.attributes.st_mode & 0222U, 0U);
}

TEST_F(ViewTest, LinkLeadsToTheVolumeFromByName) {
  View view = make();
  EXPECT_EQ(at(view, {".lunfs", "by-name", "web.raw"}).target,
            std::string("../../") + kUuid + ".raw");
}

TEST_F(ViewTest, FilesAreAskedForInMebibytes) {
  View view = make();
  EXPECT_EQ(at(view, {(std::string(kUuid) + ".raw").c_str()}).attributes.st_blksize, 1 << 20);
}

TEST_F(ViewTest, XattrsNameTheDiskAndItsSegments) {
  View view = make();
  std::map<std::string, std::string> all;
  for (auto& [name, value] : xattrs_of(at(view, {(std::string(kUuid) + ".raw").c_str()}))) {
    all.emplace(name, value);
  }
  EXPECT_EQ(all["user.lunfs.uuid"], kUuid);
  EXPECT_EQ(all["user.lunfs.name"], "web");
  EXPECT_EQ(all["user.lunfs.kind"], "raw");
  EXPECT_EQ(all["user.lunfs.lv"], std::string("LV-") + kUuid);
  EXPECT_EQ(all["user.lunfs.segments"], "0+1@0");
  EXPECT_TRUE(xattrs_of(view.root()).empty());
}

TEST_F(ViewTest, UnknownNamesAndInodesAreNull) {
  View view = make();
  EXPECT_EQ(View::child(view.root(), "nothing"), nullptr);
  EXPECT_EQ(view.find(42), nullptr);
}

}  // namespace
}  // namespace lunfs::fs
