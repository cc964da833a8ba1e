#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/reactor.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::sr {

/// Looks twice before the first write to a XenServer SR: the metadata header, the list of journals
/// and the VHD footers must be the same at two looks at least 5 s apart, else somebody works on it.
///
/// One thread at a time; the first write and its followers may wait in ensure() together.
class Quiescence {
 public:
  static constexpr std::chrono::seconds kDistance{5};

  /// `device` is the LUN; it and `reactor` outlive this.
  Quiescence(BlockDevice& device, Reactor& reactor, std::shared_ptr<const lvm::VolumeGroup> vg);

  /// The first look; at mount time. Read errors count as a change later, they are not thrown.
  Task<void> first_look(RequestContext& context);

  /// Returns when writing is safe: the first call waits until kDistance has passed since the first
  /// look, looks again and compares; later calls return at once. kBusy, now and for ever, if
  /// something had changed; its message names what.
  Task<void> ensure(RequestContext& context);

 private:
  enum class State { kLooked, kLooking, kQuiet, kChanged };

  Task<std::vector<std::string>> look(RequestContext& context);
  Task<void> second_look(RequestContext& context);

  BlockDevice& device_;
  Reactor& reactor_;
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  State state_ = State::kLooked;
  Reactor::Clock::time_point looked_at_{};
  std::vector<std::string> first_;  ///< one fact a line, comparable
  std::string change_;
  std::vector<std::coroutine_handle<>> waiters_;
};

}  // namespace lunfs::sr
