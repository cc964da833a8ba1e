#include "fs/newer_requests.h"

#include <linux/fuse.h>
#include <sys/sysmacros.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace lunfs::fs {

namespace {

// By number where the kernel's header may be older than the request.
constexpr std::uint32_t kStatxOpcode = 52;            // 7.39
constexpr std::uint32_t kCopyFileRange64Opcode = 53;  // 7.45

struct Equivalent {
  std::uint32_t opcode;
  NewerRequest newer;
  std::uint32_t older;          ///< the opcode that libfuse gets instead
  std::size_t arguments_bytes;  ///< at least, what libfuse reads behind the header
};

constexpr std::array kEquivalents = {
    // BMAP, like these, is answered EOPNOTSUPP whatever it asks.
    Equivalent{FUSE_SETUPMAPPING, NewerRequest::kMapping, FUSE_BMAP, sizeof(fuse_bmap_in)},
    Equivalent{FUSE_REMOVEMAPPING, NewerRequest::kMapping, FUSE_BMAP, sizeof(fuse_bmap_in)},
    // STATFS has no arguments and concerns the whole file system, too.
    Equivalent{FUSE_SYNCFS, NewerRequest::kSyncFs, FUSE_STATFS, 0},
    Equivalent{FUSE_TMPFILE, NewerRequest::kTmpfile, FUSE_CREATE, sizeof(fuse_create_in) + 1},
    Equivalent{kStatxOpcode, NewerRequest::kStatx, FUSE_GETATTR, sizeof(fuse_getattr_in)},
    Equivalent{kCopyFileRange64Opcode, NewerRequest::kCopyFileRange64, FUSE_COPY_FILE_RANGE,
               sizeof(fuse_copy_file_range_in)},
};

statx_timestamp timestamp(const timespec& time) noexcept {
  statx_timestamp result{};
  result.tv_sec = time.tv_sec;
  result.tv_nsec = static_cast<std::uint32_t>(time.tv_nsec);
  return result;
}

}  // namespace

NewerRequest make_known(std::span<std::byte> request) noexcept {
  fuse_in_header header{};
  if (request.size() < sizeof header) return NewerRequest::kNone;
  std::memcpy(&header, request.data(), sizeof header);
  for (const Equivalent& equivalent : kEquivalents) {
    if (header.opcode != equivalent.opcode) continue;
    if (request.size() - sizeof header < equivalent.arguments_bytes) break;
    header.opcode = equivalent.older;
    std::memcpy(request.data(), &header, sizeof header);
    return equivalent.newer;
  }
  return NewerRequest::kNone;
}

StatxAnswer statx_answer(const struct stat& attributes, double valid_s) noexcept {
  constexpr double kNanosecondsPerSecond = 1e9;
  StatxAnswer answer{};
  answer.valid_seconds = static_cast<std::uint64_t>(valid_s);
  answer.valid_nanoseconds = static_cast<std::uint32_t>(
      (valid_s - static_cast<double>(answer.valid_seconds)) * kNanosecondsPerSecond);
  struct statx& values = answer.values;
  values.stx_mask = STATX_BASIC_STATS;
  values.stx_blksize = static_cast<std::uint32_t>(attributes.st_blksize);
  values.stx_nlink = static_cast<std::uint32_t>(attributes.st_nlink);
  values.stx_uid = attributes.st_uid;
  values.stx_gid = attributes.st_gid;
  values.stx_mode = static_cast<std::uint16_t>(attributes.st_mode);
  values.stx_ino = attributes.st_ino;
  values.stx_size = static_cast<std::uint64_t>(attributes.st_size);
  values.stx_blocks = static_cast<std::uint64_t>(attributes.st_blocks);
  values.stx_atime = timestamp(attributes.st_atim);
  values.stx_ctime = timestamp(attributes.st_ctim);
  values.stx_mtime = timestamp(attributes.st_mtim);
  values.stx_rdev_major = major(attributes.st_rdev);
  values.stx_rdev_minor = minor(attributes.st_rdev);
  return answer;
}

}  // namespace lunfs::fs
