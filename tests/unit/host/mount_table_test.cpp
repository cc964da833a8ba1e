#include "host/mount_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace lunfs::host {
namespace {

std::vector<MountEntry> parse(const std::string& text) {
  std::istringstream table(text);
  return parse_mount_table(table);
}

TEST(MountTable, FieldsBehindTheDashAreFoundWhateverStandsInFrontOfIt) {
  const auto all = parse(
      "36 35 98:0 / /a rw,noatime - ext4 /dev/root rw,errors=continue\n"
      "37 35 0:40 / /b rw shared:1 master:2 - fuse.lunfs iscsi://h:1/iqn/0 rw,user_id=1000\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].mount_point, "/a");
  EXPECT_EQ(all[0].id, 36U);
  EXPECT_EQ(all[0].device, "98:0");
  EXPECT_EQ(all[0].type, "ext4");
  EXPECT_EQ(all[0].source, "/dev/root");
  EXPECT_EQ(all[1].type, "fuse.lunfs");
  EXPECT_EQ(all[1].source, "iscsi://h:1/iqn/0");
  EXPECT_EQ(all[1].option("user_id"), "1000");
  EXPECT_EQ(all[1].option("id"), std::nullopt);
}

TEST(MountTable, EscapedCharactersComeBack) {
  const auto all = parse("1 2 0:1 / /with\\040blank rw - t a\\134b rw\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].mount_point, "/with blank");
  EXPECT_EQ(all[0].source, "a\\b");
}

TEST(MountTable, BackslashThatIsNoEscapeStays) {
  EXPECT_EQ(parse("1 2 0:1 / /a\\xyz rw - t s rw\n").at(0).mount_point, "/a\\xyz");
}

TEST(MountTable, SourceMayBeEmpty) {
  const auto all = parse("1 2 0:1 / /a rw - tmpfs  rw,size=1k\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].source, "");
  EXPECT_EQ(all[0].option("size"), "1k");
}

TEST(MountTable, LineThatIsNoneIsLeftOut) {
  EXPECT_TRUE(parse("1 2 0:1 / /a rw\n\nnonsense\n").empty());
}

TEST(MountTable, RootIsMounted) { EXPECT_TRUE(find_mount("/").has_value()); }

TEST(MountTable, FolderThatIsNoMountIsNotFound) {
  EXPECT_FALSE(find_mount("/proc/self").has_value());
}

using lunfs::testing::TempDir;

TEST(MountPointOf, ASlashAtTheEndChangesNothing) {
  const TempDir folder;
  const std::string name = std::filesystem::canonical(folder.path()).string() + "/mnt";
  EXPECT_EQ(mount_point_of(folder.file("mnt")), name);
  EXPECT_EQ(mount_point_of(folder.file("mnt/")), name);
  EXPECT_EQ(mount_point_of(folder.file("./x/../mnt//")), name);
}

TEST(MountPointOf, LinksAboveTheMountAreFollowedAndTheLastNameIsNot) {
  const TempDir folder;
  std::filesystem::create_directory(folder.file("real"));
  std::filesystem::create_directory_symlink(folder.file("real"), folder.file("link"));
  std::filesystem::create_directory_symlink("nowhere", folder.file("real/mnt"));
  EXPECT_EQ(mount_point_of(folder.file("link/mnt")),
            std::filesystem::canonical(folder.path()).string() + "/real/mnt");
}

TEST(MountPointOf, TheRootStaysTheRoot) { EXPECT_EQ(mount_point_of("/"), "/"); }

}  // namespace
}  // namespace lunfs::host
