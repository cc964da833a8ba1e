#pragma once

#include <memory>
#include <string>

#include "base/block_device.h"
#include "base/file_descriptor.h"
#include "base/reactor.h"
#include "base/thread_pool.h"

namespace lunfs {

enum class Access { kReadOnly, kReadWrite };

/// A regular file or a block device as a BlockDevice. Calls that may block run on the pool.
///
/// Read-write opens take the file for this process: a block device with O_EXCL (nothing on this
/// host has it mounted or claimed), both with flock(LOCK_EX). Read-only ones take no lock and stand
/// beside a writer. The locks end with the object. Opening waits up to a second for the lock of a
/// block device, as udev takes it for moments.
///
/// Once making writes durable has failed it fails for ever, as the kernel reports the loss once.
class FileDevice final : public BlockDevice {
 public:
  /// kNotFound, kPermission, kUsage (neither a file nor a block device), kBusy (held by another).
  /// `reactor` and `pool` outlive the device.
  static std::unique_ptr<FileDevice> open(const std::string& path, Access access, Reactor& reactor,
                                          ThreadPool& pool);

  [[nodiscard]] Geometry geometry() const noexcept override { return geometry_; }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  FileDevice(FileDescriptor fd, Geometry geometry, std::uint64_t granule, Reactor& reactor,
             ThreadPool& pool);

  Task<void> sync();
  /// Zeros by fallocate(), on a pool thread. False if the file cannot; nothing was done then.
  bool zero_now(int mode, std::uint64_t offset, std::uint64_t length);

  FileDescriptor fd_;
  Geometry geometry_;
  std::uint64_t granule_;  ///< bytes; what fallocate() wants its ranges to be multiples of
  Reactor& reactor_;
  ThreadPool& pool_;
  bool sync_failed_ = false;
};

}  // namespace lunfs
