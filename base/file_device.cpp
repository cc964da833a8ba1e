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

#include "base/checked.h"
#include "base/error.h"

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
    throw system_error(errno, path).advise("check the path of the LUN image or block device");
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

void lock_file(int fd, const std::string& path, Access access) {
  const int mode = access == Access::kReadOnly ? LOCK_SH : LOCK_EX;
  if (flock(fd, mode | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) throw system_error(errno, fmt::format("{}: locking", path));
  throw Error(ErrorKind::kBusy, fmt::format("{}: held by another program", path))
      .because("a lunfs mount or another program has locked it")
      .advise("end the other mount first, or mount both with -o ro");
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

/// pread or pwrite until everything is done; a file that ends early is an error, never a short
/// success.
template <typename Call>
void transfer(std::uint64_t offset, std::size_t length, std::string_view what, Call call) {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t count = call(done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw system_error(errno, fmt::format("{} {} bytes at {}", what, length, offset));
    if (count == 0) {
      throw Error(ErrorKind::kIo, fmt::format("{} {} bytes at {}: the file ended after {}", what,
                                              length, offset, done))
          .because("the image was cut short while it is in use");
    }
    done += static_cast<std::size_t>(count);
  }
}

void fallocate_checked(int fd, int mode, std::uint64_t offset, std::uint64_t length) {
  if (fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    throw system_error(errno, fmt::format("fallocate of {} bytes at {}", length, offset));
  }
}

/// Runs of data and holes of [offset, offset + length), by SEEK_DATA and SEEK_HOLE.
std::vector<Extent> extents_of(int fd, std::uint64_t offset, std::uint64_t length) {
  std::vector<Extent> extents;
  const std::uint64_t end = offset + length;
  while (offset < end) {
    off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno != ENXIO)
      return {{.offset = offset, .length = end - offset, .hole = false}};
    const std::uint64_t data_at = data < 0 ? end : std::min(end, static_cast<std::uint64_t>(data));
    if (data_at > offset) {
      extents.push_back({.offset = offset, .length = data_at - offset, .hole = true});
    }
    if (data_at == end) break;
    const off_t hole = lseek(fd, static_cast<off_t>(data_at), SEEK_HOLE);
    const std::uint64_t hole_at = hole < 0 ? end : std::min(end, static_cast<std::uint64_t>(hole));
    extents.push_back({.offset = data_at, .length = hole_at - data_at, .hole = false});
    offset = hole_at;
  }
  return extents;
}

}  // namespace

std::unique_ptr<FileDevice> FileDevice::open(const std::string& path, Access access,
                                             Reactor& reactor, ThreadPool& pool) {
  FileDescriptor fd = open_checked(path, access);
  lock_file(fd.get(), path, access);
  const Geometry geometry = geometry_of(fd.get(), path, access);
  return std::unique_ptr<FileDevice>(new FileDevice(std::move(fd), geometry, reactor, pool));
}

FileDevice::FileDevice(FileDescriptor fd, Geometry geometry, Reactor& reactor, ThreadPool& pool)
    : fd_(std::move(fd)), geometry_(geometry), reactor_(reactor), pool_(pool) {}

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
  co_await pool_.run(reactor_, [this, offset, in, flags] {
    transfer(offset, in.size(), "writing", [&](std::size_t done, off_t at) {
      return pwrite(fd_.get(), in.data() + done, in.size() - done, at);
    });
    if (flags.fua && fdatasync(fd_.get()) != 0) throw system_error(errno, "making a write durable");
  });
}

Task<void> FileDevice::do_flush(RequestContext& context) {
  context.check();
  if (geometry_.read_only) co_return;
  co_await pool_.run(reactor_, [this] {
    if (fdatasync(fd_.get()) != 0) throw system_error(errno, "making writes durable");
  });
}

Task<void> FileDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                std::uint64_t length) {
  return do_write_zeroes(context, offset, length, true);
}

Task<void> FileDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                       std::uint64_t length, bool may_unmap) {
  context.check();
  bool done = true;
  co_await pool_.run(reactor_, [&] {
    try {
      fallocate_checked(
          fd_.get(),
          FALLOC_FL_KEEP_SIZE | (may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE), offset,
          length);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      done = false;  // the file system cannot: zeros are written
    }
  });
  if (!done) co_await BlockDevice::do_write_zeroes(context, offset, length, may_unmap);
}

Task<std::vector<Extent>> FileDevice::do_allocated(RequestContext& context, std::uint64_t offset,
                                                   std::uint64_t length) {
  context.check();
  std::vector<Extent> extents;
  co_await pool_.run(reactor_, [&] { extents = extents_of(fd_.get(), offset, length); });
  co_return extents;
}

}  // namespace lunfs
