#pragma once

#include <fuse_lowlevel.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/reactor.h"
#include "fs/answer_batch.h"
#include "fs/newer_requests.h"
#include "fs/slab_pool.h"

namespace lunfs::fs {

/// The connection to the kernel: mounts, reads requests in batches, hands them to libfuse, which
/// calls the operations. Its end does not take the mount out of the tree: that is the watcher's to
/// do. The reactor's thread only.
///
/// Several shards share a connection, each by a channel of its own: a descriptor of its own, from
/// which a request is read and to which its answer is written, and a libfuse session of its own, so
/// that they have no lock in common. One of them mounts, the others join() it. A request wakes one
/// of the shards that wait, not all.
class Channel {
 public:
  /// @param operations  outlives the channel; the user data that they get is the channel
  /// @param user_data   what user_data() returns
  /// @param options     FUSE mount options, without "-o"
  Channel(Reactor& reactor, SlabPool& slabs, const fuse_lowlevel_ops& operations, void* user_data,
          const std::vector<std::string>& options);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  /// The one that a request came by.
  static Channel& of(fuse_req_t request) noexcept {
    return *static_cast<Channel*>(fuse_req_userdata(request));
  }
  [[nodiscard]] void* user_data() const noexcept { return user_data_; }

  /// Mounts and starts to serve. `on_end` is called once, when the kernel has ended the connection
  /// (umount). kPermission, kNotFound, kIo with what the mount helper said.
  void mount(const std::string& mount_point, std::function<void()> on_end);

  /// Takes a mount out of the tree that nobody has used yet.
  void undo_mount() noexcept;

  /// Whether the kernel has ended the connection: the mount was removed by somebody, or aborted.
  /// Known here before serve() has met it.
  [[nodiscard]] bool ended() const noexcept;

  /// Gives a request to the channels of the other shards.
  using Tell = std::function<void(std::vector<std::byte> request)>;
  /// The connection has further channels; before mount() or join(). An INTERRUPT may come to any of
  /// them, whoever serves what it is about: `tell_others` passes it on to their take_interrupt().
  void share(Tell tell_others);
  /// Opens a further descriptor of the connection of `mounted`; nothing is read from it before
  /// start(). kPermission, kIo. Before either is used by its thread.
  void join(const Channel& mounted);
  /// Begins to serve a channel that has joined.
  /// @param init  the kernel's INIT, which came to the channel that has mounted
  void start(std::vector<std::byte> init);
  /// The kernel's INIT, once it has come to a shared channel.
  [[nodiscard]] const std::vector<std::byte>& init_request() const noexcept { return init_; }
  /// An INTERRUPT that came to another channel: of a request that this one serves, or not.
  void take_interrupt(std::vector<std::byte> request);

  /// Reads no requests until resume(), so that they wake other channels of the connection only;
  /// one that this channel was woken for is for those that resume() after it. Nothing happens if it
  /// does not serve; the end of the connection ends the pause.
  void pause();
  /// Reads requests again; if it does so already, looks whether one waits that it was not woken
  /// for.
  void resume();

  /// Stops reading requests, for good.
  void stop();

  /// The slab that the request being handed out lies in; the operation that calls this keeps it.
  [[nodiscard]] SlabPool::Slab keep_slab();
  /// The payload of the next answer lies in `slab`, which is kept as long as it takes.
  void keep_for_answer(SlabPool::Slab slab) noexcept { answers_.keep(std::move(slab)); }
  /// What the kernel asked, if libfuse hands the request out as an older one.
  [[nodiscard]] NewerRequest newer_request() const noexcept { return newer_request_; }

 private:
  struct SessionDeleter {
    void operator()(fuse_session* session) const noexcept { fuse_session_destroy(session); }
  };

  void take_answers();
  void watch_for_requests();
  void serve();
  bool serve_one();
  void share_what_concerns_all(std::span<const std::byte> request);
  void process(std::vector<std::byte>& request);
  void forget_interrupts();

  Reactor& reactor_;
  SlabPool& slabs_;
  void* user_data_;
  std::unique_ptr<fuse_session, SessionDeleter> session_;
  AnswerBatch answers_;
  Tell tell_others_;  ///< null: the connection has this channel only
  std::vector<std::byte> init_;
  std::function<void()> on_end_;
  SlabPool::Slab current_;
  NewerRequest newer_request_ = NewerRequest::kNone;  ///< of the request being handed out
  bool serving_ = false;  ///< from mount() or start() to stop(), also while it pauses
  bool stopped_ = false;
  Reactor::Watch watch_;
  Reactor::Hook serve_;
};

}  // namespace lunfs::fs
