#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

namespace lunfs {
namespace {

/// The lines of /proc/self/smaps for the mapping that begins at `address`.
std::string smaps_of(const void* address) {
  char begin[32];
  std::snprintf(begin, sizeof begin, "%" PRIxPTR "-", reinterpret_cast<std::uintptr_t>(address));
  std::ifstream file("/proc/self/smaps");
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    // Each mapping begins with a line of addresses; the others with a name in upper case.
    if (std::isupper(static_cast<unsigned char>(line[0])) == 0) inside = line.starts_with(begin);
    if (inside) text += line + "\n";
  }
  return text;
}

TEST(Secret, HasItsTextAndANulBehindIt) {
  const Secret secret("twelve bytes");
  EXPECT_EQ(secret.view(), "twelve bytes");
  EXPECT_STREQ(secret.c_str(), "twelve bytes");
  EXPECT_FALSE(secret.empty());
}

TEST(Secret, NoTextIsEmpty) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret("").empty());
  EXPECT_STREQ(Secret().c_str(), "");
  EXPECT_EQ(Secret(), Secret(""));
}

TEST(Secret, CopyLivesOnItsOwn) {
  Secret first("one");
  const Secret copy = first;
  first = Secret("other");
  EXPECT_EQ(copy.view(), "one");
  EXPECT_EQ(first.view(), "other");
}

TEST(Secret, MovedFromIsEmpty) {
  Secret first("one");
  const Secret second = std::move(first);
  EXPECT_EQ(second.view(), "one");
  EXPECT_TRUE(first.empty());  // NOLINT: what is left is what is asked
}

TEST(Secret, EqualIsWhatHasTheSameText) {
  EXPECT_EQ(Secret("one"), Secret("one"));
  EXPECT_NE(Secret("one"), Secret("on"));
}

TEST(SecretBuffer, IsLockedAndLeftOutOfCoreDumps) {
  const SecretBuffer buffer(100);
  const std::string smaps = smaps_of(buffer.bytes().data());
  EXPECT_NE(smaps.find("\nVmFlags:"), std::string::npos) << smaps;
// The sanitizers' mlock() does nothing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_NE(smaps.find(" lo "), std::string::npos) << "locked: " << smaps;
#endif
  EXPECT_NE(smaps.find(" dd "), std::string::npos) << "not dumped: " << smaps;
}

TEST(SecretBuffer, ForkedChildHasZeros) {
  const SecretBuffer buffer(100);
  buffer.bytes()[0] = 'x';
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(buffer.bytes()[0] == 0 ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(buffer.bytes()[0], 'x');
}

}  // namespace
}  // namespace lunfs
