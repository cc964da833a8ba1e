#include "fs/newer_requests.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace lunfs::fs {
namespace {

constexpr std::uint32_t kStatxOpcode = 52;
constexpr std::uint32_t kCopyFileRange64Opcode = 53;
constexpr std::uint32_t kNewestOpcode = kCopyFileRange64Opcode;

/// A request with `arguments_bytes` of arguments that all look different.
std::vector<std::byte> request_of(std::uint32_t opcode, std::size_t arguments_bytes) {
  std::vector<std::byte> request(sizeof(fuse_in_header) + arguments_bytes);
  unsigned next = 0;
  for (std::byte& byte : request) byte = static_cast<std::byte>(next++);
  fuse_in_header header{};
  header.len = static_cast<std::uint32_t>(request.size());
  header.opcode = opcode;
  header.unique = 1234;
  header.nodeid = 77;
  header.uid = 1000;
  std::memcpy(request.data(), &header, sizeof header);
  return request;
}

fuse_in_header header_of(const std::vector<std::byte>& request) {
  fuse_in_header header{};
  std::memcpy(&header, request.data(), sizeof header);
  return header;
}

struct Known {
  std::uint32_t opcode;
  std::size_t arguments_bytes;  // as the kernel sends them
  NewerRequest newer;
  std::uint32_t older;
};

constexpr Known kKnown[] = {
    {FUSE_SETUPMAPPING, sizeof(fuse_setupmapping_in), NewerRequest::kMapping, FUSE_BMAP},
    {FUSE_REMOVEMAPPING, sizeof(fuse_removemapping_in) + sizeof(fuse_removemapping_one),
     NewerRequest::kMapping, FUSE_BMAP},
    {FUSE_SYNCFS, sizeof(fuse_syncfs_in), NewerRequest::kSyncFs, FUSE_STATFS},
    {FUSE_TMPFILE, sizeof(fuse_create_in) + sizeof "/", NewerRequest::kTmpfile, FUSE_CREATE},
    {kStatxOpcode, 24, NewerRequest::kStatx, FUSE_GETATTR},
    {kCopyFileRange64Opcode, sizeof(fuse_copy_file_range_in), NewerRequest::kCopyFileRange64,
     FUSE_COPY_FILE_RANGE},
};

TEST(NewerRequests, OnlyTheOpcodeBecomesAnOlderOne) {
  for (const Known& known : kKnown) {
    SCOPED_TRACE(known.opcode);
    std::vector<std::byte> request = request_of(known.opcode, known.arguments_bytes);
    std::vector<std::byte> expected = request_of(known.older, known.arguments_bytes);
    EXPECT_EQ(make_known(request), known.newer);
    EXPECT_EQ(request, expected);
  }
}

TEST(NewerRequests, EveryOpcodeAfterThoseOfTheLibraryIsCovered) {
  for (std::uint32_t opcode = FUSE_COPY_FILE_RANGE + 1; opcode <= kNewestOpcode; ++opcode) {
    std::vector<std::byte> request = request_of(opcode, 100);
    EXPECT_NE(make_known(request), NewerRequest::kNone) << opcode;
    EXPECT_LE(header_of(request).opcode, FUSE_COPY_FILE_RANGE) << opcode;
  }
}

TEST(NewerRequests, OthersStayAsTheyAre) {
  for (const std::uint32_t opcode : {0U, 1U, 3U, 26U, 47U, kNewestOpcode + 1, 4096U, ~0U}) {
    std::vector<std::byte> request = request_of(opcode, 100);
    EXPECT_EQ(make_known(request), NewerRequest::kNone) << opcode;
    EXPECT_EQ(request, request_of(opcode, 100)) << opcode;
  }
}

TEST(NewerRequests, TooShortStaysAsItIs) {
  std::vector<std::byte> request = request_of(kStatxOpcode, sizeof(fuse_getattr_in) - 1);
  EXPECT_EQ(make_known(request), NewerRequest::kNone);
  EXPECT_EQ(header_of(request).opcode, kStatxOpcode);
  std::vector<std::byte> header_only(sizeof(fuse_in_header) - 1, std::byte{FUSE_SYNCFS});
  EXPECT_EQ(make_known(header_only), NewerRequest::kNone);
}

struct stat some_attributes() {
  struct stat attributes {};
  attributes.st_ino = 0x1122334455667788;
  attributes.st_size = 5'000'000'000;
  attributes.st_blocks = 9'765'625;
  attributes.st_blksize = 1 << 20;
  attributes.st_mode = S_IFREG | 0640;
  attributes.st_nlink = 2;
  attributes.st_uid = 1000;
  attributes.st_gid = 100;
  attributes.st_atim = {.tv_sec = 1, .tv_nsec = 11};
  attributes.st_mtim = {.tv_sec = 2, .tv_nsec = 22};
  attributes.st_ctim = {.tv_sec = 3, .tv_nsec = 33};
  return attributes;
}

TEST(NewerRequests, StatxTellsWhatGetattrTells) {
  const struct statx values = statx_answer(some_attributes(), 0.0).values;
  EXPECT_EQ(values.stx_ino, 0x1122334455667788U);
  EXPECT_EQ(values.stx_size, 5'000'000'000U);
  EXPECT_EQ(values.stx_blocks, 9'765'625U);
  EXPECT_EQ(values.stx_blksize, 1U << 20);
  EXPECT_EQ(values.stx_mode, S_IFREG | 0640);
  EXPECT_EQ(values.stx_nlink, 2U);
  EXPECT_EQ(values.stx_uid, 1000U);
  EXPECT_EQ(values.stx_gid, 100U);
  EXPECT_EQ(values.stx_atime.tv_sec, 1);
  EXPECT_EQ(values.stx_atime.tv_nsec, 11U);
  EXPECT_EQ(values.stx_mtime.tv_sec, 2);
  EXPECT_EQ(values.stx_mtime.tv_nsec, 22U);
  EXPECT_EQ(values.stx_ctime.tv_sec, 3);
  EXPECT_EQ(values.stx_ctime.tv_nsec, 33U);
}

TEST(NewerRequests, StatxClaimsNoTimeOfBirth) {
  EXPECT_EQ(statx_answer(some_attributes(), 0.0).values.stx_mask, STATX_BASIC_STATS);
}

TEST(NewerRequests, StatxIsKeptAsLongAsGetattr) {
  const StatxAnswer answer = statx_answer(some_attributes(), 3600.25);
  EXPECT_EQ(answer.valid_seconds, 3600U);
  EXPECT_EQ(answer.valid_nanoseconds, 250'000'000U);
}

}  // namespace
}  // namespace lunfs::fs
