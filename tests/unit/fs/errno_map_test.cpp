#include "fs/errno_map.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace lunfs::fs {
namespace {

TEST(ErrnoMap, NoKindBecomesEnosysOrSuccess) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    const int value = errno_of(static_cast<ErrorKind>(kind));
    EXPECT_NE(value, ENOSYS) << kind;
    EXPECT_GT(value, 0) << kind;
  }
}

TEST(ErrnoMap, KindsThatProgramsActOnHaveTheirOwnErrno) {
  EXPECT_EQ(errno_of(ErrorKind::kNoSpace), ENOSPC);
  EXPECT_EQ(errno_of(ErrorKind::kReadOnly), EROFS);
  EXPECT_EQ(errno_of(ErrorKind::kBusy), EBUSY);
  EXPECT_EQ(errno_of(ErrorKind::kReserved), EBUSY);
  EXPECT_EQ(errno_of(ErrorKind::kUnsupported), EOPNOTSUPP);
  EXPECT_EQ(errno_of(ErrorKind::kCancelled), EINTR);
  EXPECT_EQ(errno_of(ErrorKind::kUnreachable), EIO);
  EXPECT_EQ(errno_of(ErrorKind::kOutcomeUnknown), EIO);
}

}  // namespace
}  // namespace lunfs::fs
