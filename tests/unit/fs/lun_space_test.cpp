#include "fs/lun_space.h"

#include <gtest/gtest.h>

namespace lunfs::fs {
namespace {

TEST(LunSpace, IsFullFromARefusalToTheNextSuccess) {
  LunSpace space("lun");
  space.accepted();
  EXPECT_FALSE(space.full());
  space.refused(Error(ErrorKind::kNoSpace, "07/27/07"));
  EXPECT_TRUE(space.full());
  space.accepted();
  EXPECT_FALSE(space.full());
}

}  // namespace
}  // namespace lunfs::fs
