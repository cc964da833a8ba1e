#include "host/mount_table.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

namespace lunfs::host {
namespace {

using lunfs::testing::TempDir;

TEST(MountTable, TheRootIsMounted) {
  ASSERT_TRUE(find_mount("/"));
  EXPECT_FALSE(find_mount("/")->type.empty());
}

TEST(MountTable, AnOrdinaryFolderIsNoMount) {
  const TempDir folder;
  EXPECT_FALSE(find_mount(folder.path().string()));
}

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
