#include "fs/operations.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <utility>

#include "base/log.h"

namespace lunfs::fs {

namespace {

Operations& of(fuse_req_t request) {
  return *static_cast<Operations*>(Channel::of(request).user_data());
}

/// An exception is logged, and the reply's destructor answers.
template <typename Answer>
void guarded(Answer answer) noexcept {
  try {
    answer();
  } catch (const std::exception& failure) {
    log::error("a request failed: {} (a bug in lunfs)", failure.what());
  }
}

/// Calls `serve(operations, reply)`, guarded.
template <typename Serve>
void serve(fuse_req_t request, Serve serve) noexcept {
  guarded([&] {
    Operations& operations = of(request);
    serve(operations, Reply(request, operations.channel->newer_request()));
  });
}

void refuse(fuse_req_t request, const char* what, const char* name) {
  serve(request,
        [&](Operations& o, Reply reply) { o.names.refuse_change(std::move(reply), what, name); });
}

std::uint64_t unsigned_offset(off_t offset) noexcept { return static_cast<std::uint64_t>(offset); }

void init(void* channel, fuse_conn_info* connection) {
  constexpr unsigned kMaxIo = 1U << 20;
  constexpr unsigned kMaxBackground = 256;
  connection->max_write = kMaxIo;
  connection->max_read = kMaxIo;
  connection->max_background = kMaxBackground;
  connection->congestion_threshold = kMaxBackground * 3 / 4;
  // Where a size changes by itself the kernel asks again soon; and the payload of a write must stay
  // in our buffer.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
                                             FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                                             FUSE_CAP_WRITEBACK_CACHE);
  connection->want |= connection->capable &
                      static_cast<unsigned>(FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO |
                                            FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_READDIRPLUS |
                                            FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS);
  const auto& operations = *static_cast<Operations*>(static_cast<Channel*>(channel)->user_data());
  if (operations.on_ready) operations.on_ready();
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve(request, [&](Operations& o, Reply reply) {
    if (o.look != nullptr) o.look->used();
    o.names.lookup(std::move(reply), parent, name);
  });
}

void forget(fuse_req_t request, fuse_ino_t /*inode*/, std::uint64_t /*count*/) {
  fuse_reply_none(request);  // inodes live as long as the mount: lookups need no counting
}

void forget_multi(fuse_req_t request, std::size_t /*count*/, fuse_forget_data* /*forgets*/) {
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info* /*file*/) {
  serve(request, [&](Operations& o, Reply reply) { o.names.getattr(std::move(reply), inode); });
}

void setattr(fuse_req_t request, fuse_ino_t inode, struct stat* attributes, int to_set,
             fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    NameOperations::NewAttributes wanted{.values = *attributes, .to_set = to_set, .handle = {}};
    if (file != nullptr) wanted.handle = file->fh;
    o.names.setattr(std::move(reply), inode, wanted);
  });
}

void readlink(fuse_req_t request, fuse_ino_t inode) {
  serve(request, [&](Operations& o, Reply reply) { o.names.readlink(std::move(reply), inode); });
}

void open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    const int flags = file->flags;
    if (o.renew_status && o.names.is_control_file(inode)) {
      auto held = std::make_shared<Reply>(std::move(reply));
      o.renew_status([&o, inode, flags, held] {
        guarded([&] { o.names.open(std::move(*held), inode, flags); });
      });
      return;
    }
    if (o.look == nullptr || !o.names.is_disk(inode)) {
      return o.names.open(std::move(reply), inode, flags);
    }
    o.io.open(
        std::move(reply), (flags & O_ACCMODE) != O_RDONLY,
        [&names = o.names, inode, flags](Reply to) { names.open(std::move(to), inode, flags); });
  });
}

void release(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) { o.names.release(std::move(reply), file->fh); });
}

void read(fuse_req_t request, fuse_ino_t /*inode*/, std::size_t size, off_t offset,
          fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    o.io.read(std::move(reply), file->fh, unsigned_offset(offset), size);
  });
}

void write(fuse_req_t request, fuse_ino_t /*inode*/, const char* data, std::size_t size,
           off_t offset, fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    o.io.write(std::move(reply), file->fh, unsigned_offset(offset),
               std::as_bytes(std::span(data, size)), o.channel->keep_slab());
  });
}

void flush(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) { o.io.flush(std::move(reply), file->fh); });
}

void fsync(fuse_req_t request, fuse_ino_t /*inode*/, int /*datasync*/, fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) { o.io.fsync(std::move(reply), file->fh); });
}

void fallocate(fuse_req_t request, fuse_ino_t /*inode*/, int mode, off_t offset, off_t length,
               fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    o.io.fallocate(std::move(reply), file->fh, mode, unsigned_offset(offset),
                   unsigned_offset(length));
  });
}

void lseek(fuse_req_t request, fuse_ino_t /*inode*/, off_t offset, int whence,
           fuse_file_info* file) {
  serve(request, [&](Operations& o, Reply reply) {
    o.io.seek(std::move(reply), file->fh, unsigned_offset(offset), whence);
  });
}

void copy_file_range(fuse_req_t request, fuse_ino_t /*inode_in*/, off_t from, fuse_file_info* in,
                     fuse_ino_t /*inode_out*/, off_t to, fuse_file_info* out, std::size_t length,
                     int /*flags*/) {
  serve(request, [&](Operations& o, Reply reply) {
    o.io.copy(std::move(reply), {.from_handle = in->fh,
                                 .from = unsigned_offset(from),
                                 .to_handle = out->fh,
                                 .to = unsigned_offset(to),
                                 .length = length});
  });
}

void opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* /*file*/) {
  serve(request, [&](Operations& o, Reply reply) {
    if (o.look != nullptr) o.look->used();
    o.names.opendir(std::move(reply), inode);
  });
}

void readdir(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
             fuse_file_info* /*file*/) {
  serve(request, [&](Operations& o, Reply reply) {
    o.names.readdir(std::move(reply), inode, size, unsigned_offset(offset), false);
  });
}

void readdirplus(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
                 fuse_file_info* /*file*/) {
  serve(request, [&](Operations& o, Reply reply) {
    o.names.readdir(std::move(reply), inode, size, unsigned_offset(offset), true);
  });
}

void releasedir(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* /*file*/) {
  fuse_reply_err(request, 0);
}

void fsyncdir(fuse_req_t request, fuse_ino_t /*inode*/, int /*datasync*/,
              fuse_file_info* /*file*/) {
  fuse_reply_err(request, 0);  // names are not changed through the mount
}

void statfs(fuse_req_t request, fuse_ino_t /*inode*/) {
  serve(request, [&](Operations& o, Reply reply) {
    if (o.channel->newer_request() == NewerRequest::kSyncFs) {
      o.io.sync(std::move(reply));
    } else {
      o.names.statfs(std::move(reply));
    }
  });
}

void access(fuse_req_t request, fuse_ino_t inode, int mask) {
  serve(request,
        [&](Operations& o, Reply reply) { o.names.access(std::move(reply), inode, mask); });
}

void getxattr(fuse_req_t request, fuse_ino_t inode, const char* name, std::size_t size) {
  serve(request,
        [&](Operations& o, Reply reply) { o.names.getxattr(std::move(reply), inode, name, size); });
}

void listxattr(fuse_req_t request, fuse_ino_t inode, std::size_t size) {
  serve(request,
        [&](Operations& o, Reply reply) { o.names.listxattr(std::move(reply), inode, size); });
}

void setxattr(fuse_req_t request, fuse_ino_t /*inode*/, const char* /*name*/, const char* /*value*/,
              std::size_t /*size*/, int /*flags*/) {
  fuse_reply_err(request, EOPNOTSUPP);
}

void removexattr(fuse_req_t request, fuse_ino_t /*inode*/, const char* /*name*/) {
  fuse_reply_err(request, EOPNOTSUPP);
}

void create(fuse_req_t request, fuse_ino_t /*parent*/, const char* name, mode_t /*mode*/,
            fuse_file_info* /*file*/) {
  refuse(request, "creating", name);
}

void mknod(fuse_req_t request, fuse_ino_t /*parent*/, const char* name, mode_t /*mode*/,
           dev_t /*device*/) {
  refuse(request, "creating", name);
}

void mkdir(fuse_req_t request, fuse_ino_t /*parent*/, const char* name, mode_t /*mode*/) {
  refuse(request, "creating the directory", name);
}

void symlink(fuse_req_t request, const char* /*target*/, fuse_ino_t /*parent*/, const char* name) {
  refuse(request, "creating the link", name);
}

void link(fuse_req_t request, fuse_ino_t /*inode*/, fuse_ino_t /*parent*/, const char* name) {
  refuse(request, "creating the link", name);
}

void unlink(fuse_req_t request, fuse_ino_t /*parent*/, const char* name) {
  refuse(request, "removing", name);
}

void rmdir(fuse_req_t request, fuse_ino_t /*parent*/, const char* name) {
  refuse(request, "removing the directory", name);
}

void rename(fuse_req_t request, fuse_ino_t /*parent*/, const char* name, fuse_ino_t /*new_parent*/,
            const char* /*new_name*/, unsigned /*flags*/) {
  refuse(request, "renaming", name);
}

void ioctl(fuse_req_t request, fuse_ino_t /*inode*/, unsigned /*command*/, void* /*argument*/,
           fuse_file_info* /*file*/, unsigned /*flags*/, const void* /*in*/,
           std::size_t /*in_size*/, std::size_t /*out_size*/) {
  fuse_reply_err(request, ENOTTY);  // what a regular file answers
}

void poll(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file, fuse_pollhandle* handle) {
  if (handle != nullptr) fuse_pollhandle_destroy(handle);
  // A file is always ready.
  constexpr unsigned kReady = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  serve(request, [&](Operations&, Reply reply) { reply.poll(file->poll_events & kReady); });
}

void bmap(fuse_req_t request, fuse_ino_t /*inode*/, std::size_t /*block_size*/,
          std::uint64_t /*index*/) {
  fuse_reply_err(request, EOPNOTSUPP);
}

fuse_lowlevel_ops make_table() noexcept {
  fuse_lowlevel_ops table{};
  table.init = init;
  table.lookup = lookup;
  table.forget = forget;
  table.forget_multi = forget_multi;
  table.getattr = getattr;
  table.setattr = setattr;
  table.readlink = readlink;
  table.mknod = mknod;
  table.mkdir = mkdir;
  table.unlink = unlink;
  table.rmdir = rmdir;
  table.symlink = symlink;
  table.rename = rename;
  table.link = link;
  table.open = open;
  table.read = read;
  table.write = write;
  table.flush = flush;
  table.release = release;
  table.fsync = fsync;
  table.opendir = opendir;
  table.readdir = readdir;
  table.readdirplus = readdirplus;
  table.releasedir = releasedir;
  table.fsyncdir = fsyncdir;
  table.statfs = statfs;
  table.setxattr = setxattr;
  table.getxattr = getxattr;
  table.listxattr = listxattr;
  table.removexattr = removexattr;
  table.access = access;
  table.create = create;
  table.bmap = bmap;
  table.ioctl = ioctl;
  table.poll = poll;
  table.fallocate = fallocate;
  table.copy_file_range = copy_file_range;
  table.lseek = lseek;
  // getlk, setlk and flock stay out: the kernel then keeps the locks itself, as it should for a
  // mount of one host.
  return table;
}

}  // namespace

const fuse_lowlevel_ops& operation_table() noexcept {
  static const fuse_lowlevel_ops table = make_table();
  return table;
}

}  // namespace lunfs::fs
