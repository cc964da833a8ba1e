#include "fs/open_files.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

TEST(OpenFiles, HandlesAreNotUsedTwice) {
  OpenFiles files;
  const std::uint64_t first = files.add({});
  files.remove(first);
  EXPECT_NE(files.add({}), first);
}

TEST(OpenFiles, ClosedHandleIsAnError) {
  OpenFiles files;
  const std::uint64_t handle = files.add({});
  files.remove(handle);
  EXPECT_THROW(static_cast<void>(files.at(handle)), Error);
}

TEST(OpenFile, WrittenUpToLooksAtTheOldestWrite) {
  OpenFile file;
  EXPECT_TRUE(file.written_up_to(0));
  file.writes = {3, 5};
  EXPECT_TRUE(file.written_up_to(2));
  EXPECT_FALSE(file.written_up_to(3));
  EXPECT_FALSE(file.written_up_to(4));
}

}  // namespace
}  // namespace lunfs::fs
