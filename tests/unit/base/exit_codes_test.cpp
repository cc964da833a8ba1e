#include "base/exit_codes.h"

#include <gtest/gtest.h>

namespace lunfs {
namespace {

TEST(ExitCodes, AreIscsiadmsWhereItHasOne) {
  EXPECT_EQ(exit_code(ErrorKind::kUnreachable), 4);
  EXPECT_EQ(exit_code(ErrorKind::kUsage), 7);
  EXPECT_EQ(exit_code(ErrorKind::kTimedOut), 8);
  EXPECT_EQ(exit_code(ErrorKind::kPermission), 13);
  EXPECT_EQ(exit_code(ErrorKind::kNotFound), 21);
  EXPECT_EQ(exit_code(ErrorKind::kAuth), 24);
  EXPECT_EQ(exit_code(ErrorKind::kUnsupported), 27);
  EXPECT_EQ(exit_code(ErrorKind::kBusy), 28);
  EXPECT_EQ(exit_code(ErrorKind::kReserved), 28);
}

TEST(ExitCodes, AreOneWhereIscsiadmHasNone) {
  EXPECT_EQ(exit_code(ErrorKind::kCorrupt), 1);
  EXPECT_EQ(exit_code(ErrorKind::kIo), 1);
  EXPECT_EQ(exit_code(ErrorKind::kInternal), 1);
}

}  // namespace
}  // namespace lunfs
