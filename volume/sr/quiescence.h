#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/range_lock.h"
#include "base/reactor.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::sr {

/// Looks twice before the first write to a XenServer SR: the metadata header, the list of journals
/// and the VHD footers must be the same at two looks at least 5 s apart, else somebody works on it.
/// A journal or something unreadable at either look counts as a change.
/// Source: docs/formats/sr-layout.md, what tells that an SR is in use.
///
/// One thread at a time; the first write and its followers may wait in ensure() together.
class Quiescence {
 public:
  static constexpr std::chrono::seconds kDistance{5};

  /// `device` is the LUN, byte-granular; it and `reactor` outlive this. `vg` is the one that the
  /// volumes were mapped by: a commit since it was read is a change, too. Tests shorten `distance`.
  Quiescence(BlockDevice& device, Reactor& reactor, std::shared_ptr<const lvm::VolumeGroup> vg,
             std::chrono::milliseconds distance = kDistance);

  /// The first look; at mount time. Read errors count as a change later, they are not thrown;
  /// the context's own end (kCancelled, kTimedOut) is.
  Task<void> first_look(RequestContext& context);

  /// Returns when writing is safe: the first call waits until kDistance has passed since the first
  /// look, looks again and compares; later calls return at once. kBusy, now and for ever, if
  /// something had changed; its message names what. A call that ends by its own context
  /// (kCancelled, kTimedOut) decides nothing: the next in line goes on.
  Task<void> ensure(RequestContext& context);

 private:
  enum class State { kUndecided, kQuiet, kChanged };

  /// Something on the LUN that stays as it is while nobody works on the SR.
  struct Fact {
    std::string what;
    std::string value;
    bool obstacle = false;  ///< by itself a reason not to write
  };
  using Facts = std::vector<Fact>;

  Task<Facts> look(RequestContext& context);
  Task<void> look_into_lvs(RequestContext& context, std::shared_ptr<const lvm::VolumeGroup> vg,
                           Facts& facts);
  Task<void> hash_into(RequestContext& context, std::shared_ptr<const lvm::VolumeGroup> vg,
                       const lvm::LogicalVolume& lv, Fact& fact);
  Task<void> decide(RequestContext& context);
  [[nodiscard]] static std::string obstacle_in(const Facts& facts);
  [[nodiscard]] static std::string difference(const Facts& before, const Facts& after);

  BlockDevice& device_;
  Reactor& reactor_;
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  std::chrono::milliseconds distance_;
  State state_ = State::kUndecided;
  std::optional<Reactor::Clock::time_point> looked_at_;  ///< the first look; nullopt: not yet
  Facts first_;
  std::string change_;  ///< what, in state kChanged
  RangeLock turns_;     ///< a line of one byte: who is first in it decides
};

}  // namespace lunfs::sr
