#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lunfs::fs {

/// Requests of the kernel that the supported libfuse (3.14) does not know: it would answer them
/// ENOSYS. docs/decisions/0004-requests-newer-than-libfuse.md.
enum class NewerRequest {
  kNone,             ///< libfuse knows it, or nobody does
  kMapping,          ///< SETUPMAPPING, REMOVEMAPPING: only a virtiofs with DAX is asked these
  kSyncFs,           ///< SYNCFS
  kTmpfile,          ///< TMPFILE: like CREATE, for a file without a name
  kStatx,            ///< STATX: like GETATTR, answered as statx(2) is
  kCopyFileRange64,  ///< COPY_FILE_RANGE_64: like COPY_FILE_RANGE, answered with a count of 64 bits
};

/// Makes a newer request one that libfuse can decode: the older request whose arguments it begins
/// with. Only the opcode changes, so that libfuse knows it by the kernel's number (interrupts). The
/// answer must still be the newer request's: Reply takes the result for that.
///
/// @param request  as read from /dev/fuse, in this host's byte order
/// @return what the kernel asked; kNone leaves the bytes as they are, a request that is too short
///         for its arguments too.
NewerRequest make_known(std::span<std::byte> request) noexcept;

/// The answer to STATX: fuse_statx_out of <linux/fuse.h> 7.39, whose last part is statx(2)'s.
struct StatxAnswer {
  std::uint64_t valid_seconds;
  std::uint32_t valid_nanoseconds;
  std::uint32_t flags;
  std::uint64_t spare[2];
  struct statx values;
};
static_assert(sizeof(StatxAnswer) == 288 && offsetof(StatxAnswer, values) == 32);

/// What getattr tells, as statx(2) has it. There is no time of birth, and the mask says so.
///
/// @param valid_s  how long the kernel may keep it; seconds
StatxAnswer statx_answer(const struct stat& attributes, double valid_s) noexcept;

}  // namespace lunfs::fs
