#include "fs/view.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fs/disk_table.h"
#include "fs/xattrs.h"
#include "tests/support/memory_device.h"

namespace lunfs::fs {
namespace {

constexpr std::uint64_t kExtent = 4096;
constexpr const char* kUuid = "11111111-2222-3333-4444-555555555555";
constexpr const char* kVhdUuid = "66666666-2222-3333-4444-555555555555";
constexpr std::uint64_t kVhdBytes = 1U << 20U;
constexpr std::uint64_t kVhdAllocated = 3U << 16U;

lvm::LogicalVolume lv(const std::string& name, std::uint32_t first_pe) {
  lvm::LogicalVolume result;
  result.name = name;
  result.size_bytes = kExtent;
  result.map = std::make_shared<const lvm::SegmentMap>(
      0, kExtent, std::vector<lvm::Segment>{{0, 1, 0, {{first_pe}}}});
  return result;
}

sr::Volume vhd_volume(const std::string& leaf, const std::string& base) {
  auto heads = std::make_shared<sr::VhdHeads>();
  for (const std::string& name : {leaf, base}) {
    vhd::ImageHead& image = (*heads)[name].image.emplace();
    image.footer.size_bytes = kVhdBytes;
    image.footer.type = name == leaf ? vhd::DiskType::kDifferencing : vhd::DiskType::kDynamic;
  }
  sr::Volume volume;
  volume.file_name = std::string(kVhdUuid) + ".raw";
  volume.lv_name = leaf;
  volume.kind = "vhd";
  volume.uuid = Uuid::parse(kVhdUuid);
  volume.snapshot_of = Uuid::parse(kUuid);
  volume.size_bytes = kVhdBytes;
  volume.allocated_bytes = kVhdAllocated;
  volume.read_only = true;
  volume.read_only_reason = "a VHD";
  sr::DiskSource source;
  source.plan.images = {leaf, base};
  source.heads = heads;
  volume.disk = std::make_shared<const sr::DiskSource>(source);
  return volume;
}

/// One raw VDI with a label, a VHD on another one that has no file in the root.
std::shared_ptr<const sr::Catalog> catalog() {
  auto vg = std::make_shared<lvm::VolumeGroup>();
  vg->extent_bytes = kExtent;
  const std::string leaf = std::string("VHD-") + kVhdUuid;
  vg->volumes = {lv(std::string("LV-") + kUuid, 0), lv("VHD-x", 1), lv(leaf, 2)};
  auto result = std::make_shared<sr::Catalog>();
  result->vg = vg;
  sr::Volume volume;
  volume.file_name = std::string(kUuid) + ".raw";
  volume.lv_name = vg->volumes[0].name;
  volume.kind = "raw";
  volume.uuid = Uuid::parse(kUuid);
  volume.label = "web";
  volume.size_bytes = kExtent;
  volume.allocated_bytes = kExtent;
  sr::DiskSource source;
  source.plan.raw_base = volume.lv_name;
  volume.disk = std::make_shared<const sr::DiskSource>(source);
  result->volumes = {volume, vhd_volume(leaf, "VHD-x")};
  result->links = {{.name = "web.raw", .file_name = volume.file_name}};
  result->lv_names = {vg->volumes[0].name, "VHD-x", leaf};
  return result;
}

class ViewTest : public ::testing::Test {
 protected:
  View make(const std::string& reason = {}, mode_t umask = 0077) {
    return {catalog_, {.uid = 7, .gid = 8, .umask = umask}, reason};
  }
  static Node& at(View& view, std::initializer_list<const char*> path) {
    Node* node = &view.root();
    for (const char* name : path) node = View::child(*node, name);
    return *node;
  }

  static std::map<std::string, std::string> xattrs(const Node& node) {
    std::map<std::string, std::string> all;
    for (auto& [name, value] : xattrs_of(node)) all.emplace(name, value);
    return all;
  }

  Geometry geometry_of(const View& view, const Node& node) {
    DiskTable table(view, disks_);
    return table.of(node)->geometry();
  }
  static bool is_live(BlockDevice& device) {
    return dynamic_cast<sr::LiveDisk*>(&device) != nullptr;
  }

  Reactor reactor_;
  lunfs::testing::MemoryDevice device_{4 * kExtent};
  std::shared_ptr<const sr::Catalog> catalog_ = catalog();
  sr::Disks disks_{reactor_, device_, *catalog_, vhd::MetadataCache::kDefaultBytes};
};

TEST_F(ViewTest, ControlFolderIsReachableButNotListed) {
  View view = make();
  EXPECT_NE(View::child(view.root(), ".lunfs"), nullptr);
  std::set<std::string> listed;
  for (const auto& entry : view.root().entries) {
    if (entry.listed) listed.insert(entry.name);
  }
  EXPECT_EQ(listed,
            (std::set<std::string>{std::string(kUuid) + ".raw", std::string(kVhdUuid) + ".raw"}));
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
  EXPECT_TRUE(geometry_of(view, node).read_only);
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
  EXPECT_TRUE(geometry_of(view, node).read_only);
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
  std::map<std::string, std::string> all =
      xattrs(at(view, {(std::string(kUuid) + ".raw").c_str()}));
  EXPECT_EQ(all["user.lunfs.uuid"], kUuid);
  EXPECT_EQ(all["user.lunfs.name"], "web");
  EXPECT_EQ(all["user.lunfs.kind"], "raw");
  EXPECT_EQ(all["user.lunfs.lv"], std::string("LV-") + kUuid);
  EXPECT_EQ(all["user.lunfs.segments"], "0+1@0");
  EXPECT_EQ(all["user.lunfs.allocated"], std::to_string(kExtent));
  EXPECT_FALSE(all.contains("user.lunfs.chain"));
  EXPECT_FALSE(all.contains("user.lunfs.parent"));
  EXPECT_TRUE(xattrs_of(view.root()).empty());
}

// --- VHDs ---

TEST_F(ViewTest, VhdIsAReadOnlyFileOfItsDisksSize) {
  View view = make({}, 0022);
  const Node& node = at(view, {(std::string(kVhdUuid) + ".raw").c_str()});
  EXPECT_EQ(node.kind, NodeKind::kVolume);
  EXPECT_EQ(node.attributes.st_mode, S_IFREG | 0444U);
  EXPECT_EQ(node.read_only_reason, "a VHD");
  EXPECT_EQ(static_cast<std::uint64_t>(node.attributes.st_size), kVhdBytes);
  EXPECT_EQ(geometry_of(view, node).size_bytes, kVhdBytes);
  EXPECT_TRUE(geometry_of(view, node).read_only);
}

TEST_F(ViewTest, BlocksOfAVhdAreThoseThatItsChainStores) {
  View view = make();
  EXPECT_EQ(static_cast<std::uint64_t>(
                at(view, {(std::string(kVhdUuid) + ".raw").c_str()}).attributes.st_blocks),
            kVhdAllocated / 512);
  EXPECT_EQ(static_cast<std::uint64_t>(
                at(view, {(std::string(kUuid) + ".raw").c_str()}).attributes.st_blocks),
            kExtent / 512);
}

TEST_F(ViewTest, LvEntryOfAVhdIsItsStoredBytes) {
  View view = make();
  const Node& node = at(view, {".lunfs", "lv", (std::string("VHD-") + kVhdUuid).c_str()});
  EXPECT_EQ(node.kind, NodeKind::kLvBytes);
  EXPECT_NE(&node, View::child(view.root(), std::string(kVhdUuid) + ".raw"));
  EXPECT_EQ(static_cast<std::uint64_t>(node.attributes.st_size), kExtent);
  EXPECT_EQ(xattrs(node)["user.lunfs.kind"], "bytes");
}

TEST_F(ViewTest, XattrsOfAVhdTellItsChain) {
  View view = make();
  std::map<std::string, std::string> all =
      xattrs(at(view, {(std::string(kVhdUuid) + ".raw").c_str()}));
  EXPECT_EQ(all["user.lunfs.kind"], "vhd");
  EXPECT_EQ(all["user.lunfs.lv"], std::string("VHD-") + kVhdUuid);
  EXPECT_EQ(all["user.lunfs.chain"], std::string("VHD-") + kVhdUuid + " VHD-x");
  EXPECT_EQ(all["user.lunfs.parent"], "VHD-x");
  EXPECT_EQ(all["user.lunfs.allocated"], std::to_string(kVhdAllocated));
  EXPECT_EQ(all["user.lunfs.snapshot_of"], kUuid);
}

// --- where a pool may be at work ---

TEST_F(ViewTest, DisksOfALiveSrFollowItsChanges) {
  auto changing = std::make_shared<sr::Catalog>(*catalog_);
  changing->may_change = true;
  sr::Disks disks(reactor_, device_, *changing, vhd::MetadataCache::kDefaultBytes);
  View view(changing, {.uid = 7, .gid = 8, .umask = 0}, "a pool may use it");
  DiskTable table(view, disks);
  for (const Node* node : view.with_bytes()) {
    EXPECT_TRUE(is_live(*table.of(*node))) << node->lv->name;
    EXPECT_TRUE(table.of(*node)->geometry().read_only);
  }
}

TEST_F(ViewTest, ElsewhereNobodyChangesThem) {
  View view = make();
  DiskTable table(view, disks_);
  for (const Node* node : view.with_bytes()) EXPECT_FALSE(is_live(*table.of(*node)));
}

TEST_F(ViewTest, UnknownNamesAndInodesAreNull) {
  View view = make();
  EXPECT_EQ(View::child(view.root(), "nothing"), nullptr);
  EXPECT_EQ(view.find(42), nullptr);
}

TEST_F(ViewTest, DiskThatAHostMayWriteNeverTellsThatItHasNoBlock) {
  const std::string file = std::string(kVhdUuid) + ".raw";
  for (const bool may_change : {true, false}) {
    sr::Catalog empty = *catalog_;
    empty.may_change = may_change;
    empty.volumes[1].allocated_bytes = 0;
    const auto shared = std::make_shared<const sr::Catalog>(empty);
    View view(shared, {.uid = 7, .gid = 8, .umask = 0077}, "");
    EXPECT_EQ(at(view, {file.c_str()}).attributes.st_blocks, may_change ? 8 : 0);
  }
}

}  // namespace
}  // namespace lunfs::fs
