#pragma once

#include <fuse_lowlevel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/reactor.h"
#include "fs/newer_requests.h"
#include "fs/slab_pool.h"

namespace lunfs::fs {

/// The connection to the kernel: mounts, reads requests in batches, hands them to libfuse, which
/// calls the operations. Its end does not take the mount out of the tree: that is the watcher's to
/// do. The reactor's thread only.
class Channel {
 public:
  /// @param operations  outlives the channel; `user_data` is what the operations get
  /// @param options     FUSE mount options, without "-o"
  Channel(Reactor& reactor, SlabPool& slabs, const fuse_lowlevel_ops& operations, void* user_data,
          const std::vector<std::string>& options);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  /// Mounts and starts to serve. `on_end` is called once, when the kernel has ended the connection
  /// (umount). kPermission, kNotFound, kIo with what the mount helper said.
  void mount(const std::string& mount_point, std::function<void()> on_end);

  /// Takes a mount out of the tree that nobody has used yet.
  void undo_mount() noexcept;

  /// Whether the kernel has ended the connection: the mount was removed by somebody, or aborted.
  /// Known here before serve() has met it.
  [[nodiscard]] bool ended() const noexcept;

  /// Stops reading requests.
  void stop();

  /// The slab that the request being handed out lies in; the operation that calls this keeps it.
  [[nodiscard]] SlabPool::Slab keep_slab();
  /// What the kernel asked, if libfuse hands the request out as an older one.
  [[nodiscard]] NewerRequest newer_request() const noexcept { return newer_request_; }

 private:
  struct SessionDeleter {
    void operator()(fuse_session* session) const noexcept { fuse_session_destroy(session); }
  };

  void serve();
  bool serve_one();

  Reactor& reactor_;
  SlabPool& slabs_;
  std::unique_ptr<fuse_session, SessionDeleter> session_;
  std::function<void()> on_end_;
  SlabPool::Slab current_;
  NewerRequest newer_request_ = NewerRequest::kNone;  ///< of the request being handed out
  Reactor::Watch watch_;
  Reactor::Hook serve_;
};

}  // namespace lunfs::fs
