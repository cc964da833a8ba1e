#include "base/file_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/checked.h"
#include "base/error.h"
#include "base/lock_holder.h"

namespace lunfs {

namespace {

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw system_error(errno, path);
  return status;
}

FileDescriptor open_checked(const std::string& path, Access access) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    throw system_error(errno, path)
        .because("the path is misspelt, or what it names was moved")
        .advise("check the path of the LUN image or block device");
  }
  const bool block = S_ISBLK(status.st_mode);
  if (!block && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: neither a regular file nor a block device", path))
        .advise("name a LUN image, a block device, or iscsi://host/target-iqn/lun");
  }
  int flags = O_CLOEXEC | O_NONBLOCK | (access == Access::kReadOnly ? O_RDONLY : O_RDWR);
  if (block && access == Access::kReadWrite) flags |= O_EXCL;
  FileDescriptor fd(::open(path.c_str(), flags));
  if (!fd.valid()) {
    Error error = system_error(errno, path);
    if (error.kind() == ErrorKind::kBusy) error.set_cause("another program holds the device");
    throw error;
  }
  return fd;
}

/// Keeps a second writer out. Readers take no lock: they may look on.
void lock_for_writing(int fd, const std::string& path) {
  // udev holds a shared lock for a moment while it looks at a block device, and a mount that was
  // just removed may need a moment to flush.
  constexpr int kAttempts = 20;
  constexpr std::chrono::milliseconds kBetween{50};
  for (int attempt = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK) throw system_error(errno, fmt::format("{}: locking", path));
    if (attempt == kAttempts) {
      const auto holder = flock_holder(fd);
      throw Error(ErrorKind::kBusy,
                  fmt::format("{}: held by another program{}", path,
                              holder ? fmt::format(" (pid {})", *holder) : std::string()))
          .because("a lunfs mount or another program has locked it")
          .advise("end the other mount first, or mount this one with -o ro");
    }
    std::this_thread::sleep_for(kBetween);
  }
}

Geometry geometry_of(int fd, const std::string& path, Access access) {
  const struct stat status = status_of(fd, path);
  Geometry geometry;
  geometry.read_only = access == Access::kReadOnly;
  geometry.can_unmap = true;
  if (S_ISREG(status.st_mode)) {
    geometry.size_bytes = checked_cast<std::uint64_t>(status.st_size, path);
    return geometry;
  }
  unsigned int physical = 0;
  if (ioctl(fd, BLKGETSIZE64, &geometry.size_bytes) != 0) throw system_error(errno, path);
  if (ioctl(fd, BLKPBSZGET, &physical) == 0 && physical > 0) {
    geometry.physical_block_bytes = physical;
  }
  return geometry;
}

/// Offsets and lengths that fallocate() takes on this file.
std::uint64_t granule_of(int fd, const std::string& path) {
  int logical = 0;
  if (!S_ISBLK(status_of(fd, path).st_mode)) return 1;
  if (ioctl(fd, BLKSSZGET, &logical) != 0 || logical <= 0) throw system_error(errno, path);
  return static_cast<std::uint64_t>(logical);
}

/// pread or pwrite until everything is done; a file that ends early is an error, never a short
/// success.
template <typename Call>
void transfer(std::uint64_t offset, std::size_t length, std::string_view what, Call call) {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t count = call(done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw system_error(errno, fmt::format("{} {} bytes at {}", what, length, offset));
    }
    if (count == 0) {
      throw Error(ErrorKind::kIo, fmt::format("{} {} bytes at {}: the file ended after {}", what,
                                              length, offset, done))
          .because("the image was cut short while it is in use");
    }
    done += static_cast<std::size_t>(count);
  }
}

void write_all(int fd, std::uint64_t offset, ConstIoSpan in) {
  transfer(offset, in.size(), "writing", [&](std::size_t done, off_t at) {
    return pwrite(fd, in.data() + done, in.size() - done, at);
  });
}

/// fallocate() of a range of whole granules. False if the file cannot; nothing was done then.
bool fallocate_range(int fd, int mode, std::uint64_t offset, std::uint64_t length) {
  int result = 0;
  do {
    result = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  Error error = system_error(errno, fmt::format("fallocate of {} bytes at {}", length, offset));
  if (error.kind() == ErrorKind::kUnsupported) return false;
  throw error;
}

void append(std::vector<Extent>& runs, std::uint64_t from, std::uint64_t to, bool hole) {
  if (from >= to) return;
  if (!runs.empty() && runs.back().hole == hole) {
    runs.back().length += to - from;
  } else {
    runs.push_back({.offset = from, .length = to - from, .hole = hole});
  }
}

/// Runs of data and holes of [offset, offset + length), by SEEK_DATA and SEEK_HOLE.
std::vector<Extent> extents_of(int fd, std::uint64_t offset, std::uint64_t length) {
  std::vector<Extent> runs;
  const std::uint64_t end = offset + length;
  // Beyond the end of a file that was cut short nothing reads as zeros: no hole.
  const off_t file_end = lseek(fd, 0, SEEK_END);
  const std::uint64_t stored =
      file_end < 0 ? 0 : std::min(end, static_cast<std::uint64_t>(file_end));
  while (offset < stored) {
    const off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno != ENXIO) break;  // cannot tell
    const std::uint64_t data_at =
        data < 0 ? stored : std::min(stored, static_cast<std::uint64_t>(data));
    append(runs, offset, data_at, true);
    if (data_at == stored) {
      offset = stored;
      break;
    }
    const off_t hole = lseek(fd, static_cast<off_t>(data_at), SEEK_HOLE);
    const std::uint64_t hole_at =
        hole < 0 ? stored : std::min(stored, static_cast<std::uint64_t>(hole));
    append(runs, data_at, hole_at, false);
    offset = hole_at;
  }
  append(runs, offset, end, false);
  return runs;
}

}  // namespace

std::unique_ptr<FileDevice> FileDevice::open(const std::string& path, Access access,
                                             Reactor& reactor, ThreadPool& pool) {
  FileDescriptor fd = open_checked(path, access);
  if (access == Access::kReadWrite) lock_for_writing(fd.get(), path);
  const Geometry geometry = geometry_of(fd.get(), path, access);
  const std::uint64_t granule = granule_of(fd.get(), path);
  return std::unique_ptr<FileDevice>(
      new FileDevice(std::move(fd), geometry, granule, reactor, pool));
}

FileDevice::FileDevice(FileDescriptor fd, Geometry geometry, std::uint64_t granule,
                       Reactor& reactor, ThreadPool& pool)
    : fd_(std::move(fd)), geometry_(geometry), granule_(granule), reactor_(reactor), pool_(pool) {}

Task<void> FileDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  context.check();
  co_await pool_.run(reactor_, [this, offset, out] {
    transfer(offset, out.size(), "reading", [&](std::size_t done, off_t at) {
      return pread(fd_.get(), out.data() + done, out.size() - done, at);
    });
  });
}

Task<void> FileDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                WriteFlags flags) {
  context.check();
  co_await pool_.run(reactor_, [this, offset, in] { write_all(fd_.get(), offset, in); });
  if (flags.fua) co_await sync();
}

Task<void> FileDevice::do_flush(RequestContext& context) {
  context.check();
  if (!geometry_.read_only) co_await sync();
}

Task<void> FileDevice::sync() {
  if (sync_failed_) {
    throw Error(ErrorKind::kIo, "making writes durable: failed before")
        .because("the kernel tells a failed write-back once and then forgets it")
        .advise("mount again and compare what was written last");
  }
  try {
    co_await pool_.run(reactor_, [this] {
      if (fdatasync(fd_.get()) != 0) throw system_error(errno, "making writes durable");
    });
  } catch (const Error&) {
    sync_failed_ = true;
    throw;
  }
}

Task<void> FileDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                std::uint64_t length) {
  context.check();
  co_await pool_.run(reactor_, [this, offset, length] {
    const std::uint64_t begin = align_up(offset, granule_, "unmap");
    const std::uint64_t end = align_down(offset + length, granule_);
    // The content is undefined afterwards: where holes are not to be had it may stay as it is.
    if (begin < end) fallocate_range(fd_.get(), FALLOC_FL_PUNCH_HOLE, begin, end - begin);
  });
}

Task<void> FileDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                       std::uint64_t length, bool may_unmap) {
  context.check();
  const int mode = may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
  bool done = false;
  co_await pool_.run(reactor_, [&] { done = zero_now(mode, offset, length); });
  if (!done) co_await BlockDevice::do_write_zeroes(context, offset, length, may_unmap);
}

bool FileDevice::zero_now(int mode, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  const std::uint64_t whole_begin = align_up(offset, granule_, "write zeroes");
  const std::uint64_t whole_end = align_down(end, granule_);
  if (whole_begin >= whole_end) return false;
  if (!fallocate_range(fd_.get(), mode, whole_begin, whole_end - whole_begin)) return false;
  const std::vector<std::byte> zeros(granule_);
  write_all(fd_.get(), offset, ConstIoSpan(zeros).first(whole_begin - offset));
  write_all(fd_.get(), whole_end, ConstIoSpan(zeros).first(end - whole_end));
  return true;
}

Task<std::vector<Extent>> FileDevice::do_allocated(RequestContext& context, std::uint64_t offset,
                                                   std::uint64_t length) {
  context.check();
  std::vector<Extent> extents;
  co_await pool_.run(reactor_, [&] { extents = extents_of(fd_.get(), offset, length); });
  co_return extents;
}

}  // namespace lunfs
