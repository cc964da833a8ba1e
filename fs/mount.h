#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/reactor.h"
#include "base/thread_pool.h"
#include "fs/options.h"

namespace lunfs::fs {

/// One mount from its options to its end.
class Mount {
 public:
  /// `ready` is called when the mount is usable, with the lines that a user should see
  /// ("read-only: ...", "3 VHD volumes are not shown").
  using Ready = std::function<void(const std::vector<std::string>& notices)>;

  explicit Mount(MountOptions options);
  ~Mount();

  /// Opens the source, mounts, serves until umount or a signal (SIGTERM, SIGINT, SIGHUP, which the
  /// caller has blocked), flushes, logs out.
  /// @return what was lost, empty = nothing. Errors of everything up to `ready` are thrown.
  std::string run(const Ready& ready);

 private:
  struct Parts;

  void check_mount_point() const;
  Task<void> open_parts(RequestContext& context);
  void decide_read_only();
  void build();
  [[nodiscard]] std::vector<std::string> fuse_options() const;
  [[nodiscard]] std::vector<std::string> notices() const;
  void on_signal();
  Task<void> end_by_signal();
  Task<std::string> finish();

  MountOptions options_;
  Reactor reactor_;
  ThreadPool pool_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lunfs::fs
