#pragma once

#include <chrono>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/wake_up_line.h"
#include "fs/source.h"
#include "fs/vg_watch.h"

namespace lunfs::fs {

/// When one shard looks whether its VG has changed. While the session is lost it does not: nothing
/// is sent then before the watch's guard has looked. The shard's thread only.
class VgLook {
 public:
  /// What an open for reading waits at most for a look; then it goes on with what is known.
  static constexpr std::chrono::seconds kPatience{1};
  /// A look in the background ends by then.
  static constexpr std::chrono::seconds kLimit{30};

  /// All of it outlives this.
  VgLook(VgWatch& watch, Reactor& reactor, const Source& source)
      : watch_(watch), reactor_(reactor), source_(source), ended_(reactor) {}
  VgLook(const VgLook&) = delete;
  VgLook& operator=(const VgLook&) = delete;

  /// Something of the mount is used. If the last look is older than VgWatch::kLookEvery, one begins
  /// in the background; its result shows next time.
  void used();
  /// Before a disk is opened: for writing ends with a look that has begun now, else with one that
  /// is not too old, or kPatience. Errors: of VgWatch::look(), only for writing.
  Task<void> before_open(RequestContext& context, bool writing);

  /// No look begins any more; ends when none is under way. Errors: the context's.
  Task<void> drained(RequestContext& context);

 private:
  [[nodiscard]] bool reachable() const;
  Task<void> look();
  void ended(const std::exception_ptr& failure);

  VgWatch& watch_;
  Reactor& reactor_;
  const Source& source_;
  Cancellation closing_;
  bool looking_ = false;
  WakeUpLine waiting_;
  WakeUp ended_;
};

}  // namespace lunfs::fs
