#include "fs/reply.h"

#include <linux/fuse.h>

#include <cerrno>

#include "base/log.h"
#include "fs/channel.h"

namespace lunfs::fs {

// Every fuse_reply_* result is ignored on purpose: it fails only when the request is gone
// (interrupted, connection ended), and then there is nobody to tell.

Reply::~Reply() {
  if (request_ == nullptr) return;
  log::error("a request was left unanswered: answering it EIO (a bug in lunfs)");
  error(EIO);
}

void Reply::error(int errno_value) { fuse_reply_err(take(), errno_value); }

void Reply::data(SlabPool::Slab slab, std::size_t length) {
  const auto* const bytes = reinterpret_cast<const char*>(slab.data());
  Channel::of(request_).keep_for_answer(std::move(slab));
  fuse_reply_buf(take(), bytes, length);
}

void Reply::text(std::string_view bytes) { fuse_reply_buf(take(), bytes.data(), bytes.size()); }

void Reply::written(std::size_t count) {
  if (asked_ == NewerRequest::kCopyFileRange64) {
    const std::uint64_t copied = count;
    fuse_reply_buf(take(), reinterpret_cast<const char*>(&copied), sizeof copied);
  } else {
    fuse_reply_write(take(), count);
  }
}

void Reply::entry(const fuse_entry_param& entry) { fuse_reply_entry(take(), &entry); }

void Reply::attributes(const struct stat& attributes, double timeout_s) {
  if (asked_ == NewerRequest::kStatx) {
    const StatxAnswer answer = statx_answer(attributes, timeout_s);
    fuse_reply_buf(take(), reinterpret_cast<const char*>(&answer), sizeof answer);
    return;
  }
  fuse_reply_attr(take(), &attributes, timeout_s);
}

void Reply::opened(std::uint64_t handle, std::uint32_t open_flags) {
  // Sent by hand: this libfuse has no field for FOPEN_PARALLEL_DIRECT_WRITES.
  fuse_open_out out{};
  out.fh = handle;
  out.open_flags = open_flags;
  fuse_reply_buf(take(), reinterpret_cast<const char*>(&out), sizeof out);
}

void Reply::link(const std::string& target) { fuse_reply_readlink(take(), target.c_str()); }

void Reply::space(const struct statvfs& space) { fuse_reply_statfs(take(), &space); }

void Reply::offset(std::uint64_t offset) { fuse_reply_lseek(take(), static_cast<off_t>(offset)); }

void Reply::poll(unsigned events) { fuse_reply_poll(take(), events); }

void Reply::sized(std::string_view value, std::size_t room) {
  if (room == 0) {
    fuse_reply_xattr(take(), value.size());
  } else if (value.size() > room) {
    error(ERANGE);
  } else {
    text(value);
  }
}

}  // namespace lunfs::fs
