#include "base/error.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <utility>

namespace lunfs {
namespace {

TEST(Error, ContextStandsInFrontOutermostFirst) {
  Error error(ErrorKind::kCorrupt, "CRC 0x1, expected 0x2");
  error.add_context("text at 4096");
  error.add_context("metadata area 0");
  EXPECT_STREQ(error.what(), "metadata area 0: text at 4096: CRC 0x1, expected 0x2");
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
}

TEST(Error, InnermostCauseAndRemedyWin) {
  Error error = Error(ErrorKind::kBusy, "held").because("inner cause").advise("inner remedy");
  error.set_cause("outer cause");
  error.set_remedy("outer remedy");
  EXPECT_EQ(error.cause(), "inner cause");
  EXPECT_EQ(error.remedy(), "inner remedy");
}

TEST(Error, NothingIsLostWhenItIsThrownAndCaughtAgain) {
  std::string text;
  try {
    try {
      throw Error(ErrorKind::kAuth, "login refused").because("wrong secret").advise("look there");
    } catch (Error& error) {
      error.add_context("portal 127.0.0.1");
      throw;
    }
  } catch (const std::exception& error) {
    text = three_part_text(dynamic_cast<const Error&>(error));
  }
  EXPECT_EQ(text,
            "portal 127.0.0.1: login refused\n"
            "  likely cause: wrong secret\n"
            "  what to do: look there");
}

TEST(Error, UnknownPartsAreLeftOutOfTheText) {
  EXPECT_EQ(three_part_text(Error(ErrorKind::kIo, "failed")), "failed");
  EXPECT_EQ(three_part_text(Error(ErrorKind::kIo, "failed").advise("try again")),
            "failed\n  what to do: try again");
}

TEST(Error, SystemErrorNamesTheCallAndTheReason) {
  const Error error = system_error(ENOENT, "opening /nowhere");
  EXPECT_STREQ(error.what(), "opening /nowhere: No such file or directory");
}

TEST(Error, SystemErrorKindFollowsErrno) {
  const std::array<std::pair<int, ErrorKind>, 13> table{{{ENOENT, ErrorKind::kNotFound},
                                                         {EACCES, ErrorKind::kPermission},
                                                         {EPERM, ErrorKind::kPermission},
                                                         {EROFS, ErrorKind::kReadOnly},
                                                         {EBUSY, ErrorKind::kBusy},
                                                         {ENOSPC, ErrorKind::kNoSpace},
                                                         {EDQUOT, ErrorKind::kNoSpace},
                                                         {ETIMEDOUT, ErrorKind::kTimedOut},
                                                         {ECONNREFUSED, ErrorKind::kUnreachable},
                                                         {ECONNRESET, ErrorKind::kUnreachable},
                                                         {EOPNOTSUPP, ErrorKind::kUnsupported},
                                                         {EINVAL, ErrorKind::kUsage},
                                                         {EIO, ErrorKind::kIo}}};
  for (const auto& [number, kind] : table) {
    EXPECT_EQ(system_error(number, "call").kind(), kind) << number;
  }
}

TEST(Error, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  constexpr int kKinds = static_cast<int>(ErrorKind::kInternal) + 1;
  for (int i = 0; i < kKinds; ++i) names.insert(to_string(static_cast<ErrorKind>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kKinds));
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace lunfs
