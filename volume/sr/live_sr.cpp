#include "volume/sr/live_sr.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::sr {

LiveSr::LiveSr(Reactor& reactor, BlockDevice& lun, std::shared_ptr<const lvm::VolumeGroup> vg)
    : reactor_(reactor), lun_(lun), vg_(std::move(vg)), turns_(reactor) {}

Task<bool> LiveSr::is_current(RequestContext& context, const lvm::VolumeGroup& vg) {
  const std::uint64_t asked_at = ++clock_;
  if (vg_.get() != &vg) co_return false;
  RangeLock::Entry turn(turns_, RangeLock::Mode::kExclusive, 0, 1);
  if (!turn.granted()) co_await turn.wait(context);
  const bool unchanged = co_await look(context, asked_at);
  const bool same = vg_.get() == &vg;
  co_return same ? unchanged : false;
}

/// The caller has its turn.
Task<bool> LiveSr::look(RequestContext& context, std::uint64_t asked_at) {
  if (looked_at_ > asked_at) co_return unchanged_;
  const std::uint64_t begun = ++clock_;
  // Held: a newer VG may take its place only in a turn of its own, but the reference must last.
  const std::shared_ptr<const lvm::VolumeGroup> vg = vg_;
  const bool unchanged = co_await lvm::is_still_current(context, lun_, *vg);
  looked_at_ = begun;
  unchanged_ = unchanged;
  co_return unchanged;
}

Task<std::shared_ptr<const lvm::VolumeGroup>> LiveSr::current(RequestContext& context) {
  const std::uint64_t asked_at = ++clock_;
  RangeLock::Entry turn(turns_, RangeLock::Mode::kExclusive, 0, 1);
  if (!turn.granted()) co_await turn.wait(context);
  const bool unchanged = co_await look(context, asked_at);
  if (unchanged) co_return vg_;
  const std::uint64_t begun = ++clock_;
  std::shared_ptr<const lvm::VolumeGroup> vg =
      co_await lvm::read_volume_group(context, lun_, reactor_);
  if (vg->name != vg_->name || vg->uuid != vg_->uuid) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("the LUN now holds VG {}, not {}", vg->name, vg_->name))
        .because("somebody made another SR on it")
        .advise("unmount, and mount what is there now");
  }
  vg_ = std::move(vg);
  looked_at_ = begun;
  unchanged_ = true;
  co_return vg_;
}

}  // namespace lunfs::sr
