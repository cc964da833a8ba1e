#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/reactor.h"
#include "base/thread_pool.h"
#include "fs/options.h"
#include "fs/watcher.h"

namespace lunfs::fs {

/// One mount from its options to its end.
class Mount {
 public:
  /// `ready` is called when the mount is usable, with the lines that a user should see
  /// ("read-only: ...", "3 volumes can not be shown").
  using Ready = std::function<void(const std::vector<std::string>& notices)>;
  /// Called when nothing is served any more and the last flush and the logout begin.
  using Ending = std::function<void()>;

  /// @param parent_fd  writing end of a pipe whose reader is the process that started us; when the
  ///                   reader goes away before the mount is usable, it is given up. -1 = none
  /// @param watcher    of options.mount_point, which is a true path; outlives the mount
  Mount(MountOptions options, Watcher& watcher, int parent_fd = -1);
  ~Mount();

  /// Opens the source, mounts, serves until umount or a signal (SIGTERM, SIGINT, SIGHUP, which the
  /// caller has blocked), flushes, logs out.
  /// @return what was lost, empty = nothing. Errors of everything up to `ready` are thrown.
  std::string run(const Ready& ready, const Ending& ending = {});

  /// False if a call that blocks has not come back. The destructor would wait for it: leave the
  /// object to the end of the process then.
  [[nodiscard]] bool idle() { return pool_.idle() && helper_.idle(); }

 private:
  struct Parts;

  void open_all();
  void serve(const Ready& ready);
  Task<void> open_parts(RequestContext& context);
  Task<void> claim_for_writing(RequestContext& context);
  void decide_read_only();
  void stop_threads() noexcept;
  void build_view();
  void build();
  [[nodiscard]] std::vector<std::string> fuse_options() const;
  [[nodiscard]] std::vector<std::string> notices() const;
  void on_signal();
  void end_early(std::string_view why);
  Task<void> detach();
  Task<std::string> finish();

  MountOptions options_;
  Watcher& watcher_;
  int parent_fd_;
  Reactor reactor_;
  std::unique_ptr<Parts> parts_;
  // After the parts: their threads end before what they work on.
  ThreadPool pool_;    ///< file I/O and name resolution
  ThreadPool helper_;  ///< removing the mount; of its own, as all of pool_ may be stuck
};

}  // namespace lunfs::fs
