#include "fs/watched_mount.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

host::MountEntry entry(std::uint64_t id, const std::string& device, const std::string& where,
                       const std::string& type) {
  host::MountEntry result;
  result.id = id;
  result.device = device;
  result.mount_point = where;
  result.type = type;
  return result;
}

const host::MountEntry kRoot = entry(20, "8:1", "/", "ext4");
const host::MountEntry kOurs = entry(42, "0:39", "/mnt/sr", "fuse.lunfs");

host::MountEntry other(std::uint64_t id, const std::string& type) {
  return entry(id, "0:50", "/mnt/sr", type);
}

/// As after a mount on an empty directory.
WatchedMount mounted() {
  WatchedMount mount("/mnt/sr");
  mount.before({kRoot});
  EXPECT_TRUE(mount.after({kRoot, kOurs}));
  return mount;
}

TEST(WatchedMount, IsFoundAsLongAsItStands) {
  const auto found = mounted().find({kRoot, kOurs});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, kOurs.id);
  EXPECT_FALSE(mounted().find({kRoot}));
}

TEST(WatchedMount, IsFoundWhereItWasMovedTo) {
  host::MountEntry moved = kOurs;
  moved.mount_point = "/srv/sr";
  const auto found = mounted().find({kRoot, moved});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mount_point, "/srv/sr");
}

TEST(WatchedMount, IsFoundBelowAnother) {
  const auto found = mounted().find({kRoot, kOurs, other(43, "tmpfs")});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, kOurs.id);
}

TEST(WatchedMount, AnotherOnItsPlaceIsNotTakenForIt) {
  EXPECT_FALSE(mounted().find({kRoot, other(43, "fuse.lunfs")}));
  EXPECT_FALSE(mounted().find({kRoot, other(kOurs.id, "fuse.lunfs")})) << "another device";
  host::MountEntry same_numbers = kOurs;
  same_numbers.type = "tmpfs";
  EXPECT_FALSE(mounted().find({kRoot, same_numbers})) << "another type";
}

TEST(WatchedMount, WhatStoodThereBeforeIsSomebodyElses) {
  WatchedMount mount("/mnt/sr");
  mount.before({kRoot, kOurs});
  EXPECT_FALSE(mount.after({kRoot, kOurs}));
  EXPECT_FALSE(mount.find({kRoot, kOurs}));
  EXPECT_TRUE(mount.find({kRoot, kOurs, other(43, "fuse.lunfs")}));
}

TEST(WatchedMount, IsKnownFromTheMomentBeforeItWasMade) {
  WatchedMount mount("/mnt/sr");
  mount.before({kRoot});
  EXPECT_TRUE(mount.find({kRoot, kOurs})) << "the daemon died before it could say so";
  EXPECT_FALSE(mount.find({kRoot, other(43, "tmpfs")}));
}

TEST(WatchedMount, NobodyIsTouchedBeforeTheMountBegan) {
  const WatchedMount mount("/mnt/sr");
  EXPECT_FALSE(mount.find({kRoot, kOurs}));
}

TEST(WatchedMount, NoLaterWordMakesAnotherMountOurs) {
  WatchedMount mount = mounted();
  mount.before({kRoot});
  EXPECT_TRUE(mount.after({kRoot, other(43, "fuse.lunfs")}));
  EXPECT_FALSE(mount.find({kRoot, other(43, "fuse.lunfs")}));
  EXPECT_TRUE(mount.find({kRoot, kOurs}));
}

}  // namespace
}  // namespace lunfs::fs
