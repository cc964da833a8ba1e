#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/block_device.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "fs/view.h"
#include "iscsi/open_lun.h"

namespace lunfs::fs {

/// Keeps the view of a plain VG at the state that the LUN has: another host may remove, move, grow
/// and make LVs while it is mounted. Any thread; nobody waits for another one's look.
///
/// Between two looks nobody knows: a host that gives an LV's extents to another one while a file of
/// it is in use is noticed by the next look, not before.
class VgWatch {
 public:
  /// How old a look may be when something is used.
  static constexpr std::chrono::seconds kLookEvery{5};

  /// `view` is of a plain VG that nobody is stated to change; outlives this.
  explicit VgWatch(View& view) : view_(view) {}

  /// Called in a look, before anybody goes on, when LVs are not what they were: their extents may
  /// be other LVs' now. Before the first look.
  void set_on_revoked(std::function<void()> callback) { on_revoked_ = std::move(callback); }

  /// Reads the headers of the metadata areas; if somebody has committed, the VG, and brings the
  /// view up to date. Where that cannot be told (another VG, an older state, damage) all disks are
  /// given up for good. Errors: why they were given up, now or before; those of `device`, of the
  /// context and kBusy (commits without an end), by which nothing has changed.
  /// @param device  the LUN, byte-granular, by any session
  Task<void> look(RequestContext& context, BlockDevice& device, Reactor& reactor);

  /// Agrees to a new session after such a look over it; the requests for disks that are not what
  /// they were fail then, the others are sent again. Refuses what was given up.
  [[nodiscard]] iscsi::ResumeGuard guard(Reactor& reactor);

  /// True for one caller every kLookEvery: who then looks.
  [[nodiscard]] bool take_turn() noexcept;

  [[nodiscard]] bool given_up() const;
  /// How often the VG was found changed.
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_.load(); }

 private:
  using Clock = RequestContext::Clock;

  Task<bool> look_once(RequestContext& context, BlockDevice& device, Reactor& reactor);
  void check_given_up() const;
  [[noreturn]] void give_up(const lvm::VolumeGroup& vg, const Error& found);
  void tell(const sr::Catalog& catalog, const ViewChanges& changes);

  View& view_;
  std::function<void()> on_revoked_;
  std::atomic<Clock::rep> next_look_ = 0;
  std::atomic<std::uint64_t> changes_ = 0;
  mutable std::mutex mutex_;
  std::optional<Error> given_up_;  ///< guarded by mutex_
};

}  // namespace lunfs::fs
