#pragma once

#include <fuse_lowlevel.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "fs/newer_requests.h"
#include "fs/slab_pool.h"

namespace lunfs::fs {

/// The duty to answer one FUSE request. Answering ends it; one that nobody answered is answered EIO
/// by the destructor, which says so in the log. Moves, never copies. The reactor's thread only.
class Reply {
 public:
  /// @param asked  what the kernel asked, where libfuse was given an older request instead: gives
  ///               the answer its form
  explicit Reply(fuse_req_t request, NewerRequest asked = NewerRequest::kNone) noexcept
      : request_(request), asked_(asked) {}
  Reply(Reply&& other) noexcept
      : request_(std::exchange(other.request_, nullptr)), asked_(other.asked_) {}
  Reply& operator=(Reply&&) = delete;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();

  [[nodiscard]] fuse_req_t request() const noexcept { return request_; }
  [[nodiscard]] bool answered() const noexcept { return request_ == nullptr; }
  /// Who asks.
  [[nodiscard]] uid_t caller() const noexcept { return fuse_req_ctx(request_)->uid; }

  void ok() { error(0); }
  void error(int errno_value);
  /// The first `length` bytes of `slab`, of which nothing else is in use any more.
  void data(SlabPool::Slab slab, std::size_t length);
  void text(std::string_view bytes);
  void written(std::size_t count);
  void entry(const fuse_entry_param& entry);
  void attributes(const struct stat& attributes, double timeout_s);
  /// @param open_flags  FOPEN_* of <linux/fuse.h>, also those that libfuse has no field for
  void opened(std::uint64_t handle, std::uint32_t open_flags);
  void link(const std::string& target);
  void space(const struct statvfs& space);
  void offset(std::uint64_t offset);
  void poll(unsigned events);
  /// An xattr or a list of names: the size alone if `room` is 0, ERANGE if it does not fit.
  void sized(std::string_view value, std::size_t room);

 private:
  /// Gives up the duty; what follows answers.
  fuse_req_t take() noexcept { return std::exchange(request_, nullptr); }

  fuse_req_t request_;
  NewerRequest asked_;
};

}  // namespace lunfs::fs
