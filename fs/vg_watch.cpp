#include "fs/vg_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::fs {

namespace {

/// Each of them has met another state than the one before.
constexpr int kAttempts = 10;
/// Lines in the log for one change; a whole VG may have gone.
constexpr std::size_t kMostLines = 20;

/// Says of an error that what is on the LUN is not a later state of the VG.
bool is_about_the_content(const Error& error) noexcept {
  return error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kNotFound ||
         error.kind() == ErrorKind::kUnsupported || error.kind() == ErrorKind::kOutOfRange;
}

void check_later_state(const sr::Catalog& known, const sr::Catalog& now) {
  const lvm::VolumeGroup& before = *known.vg;
  const lvm::VolumeGroup& after = *now.vg;
  if (after.uuid != before.uuid || now.layout != sr::Layout::kPlain) {
    throw Error(ErrorKind::kNotFound, fmt::format("it holds VG {} now", after.name));
  }
  const bool same = after.header == before.header;  // a commit that was begun and given up
  if (!same && after.header.seqno <= before.header.seqno) {
    throw Error(ErrorKind::kUnsupported, fmt::format("it went back from seqno {} to {}",
                                                     before.header.seqno, after.header.seqno));
  }
}

Task<std::optional<Error>> agree(RequestContext& context, BlockDevice& device, VgWatch& watch,
                                 Reactor& reactor) {
  std::optional<Error> failure;
  try {
    co_await watch.look(context, device, reactor);
  } catch (const Error& error) {
    if (!watch.given_up()) throw;
    failure = error;
  }
  co_return failure;
}

}  // namespace

iscsi::ResumeGuard VgWatch::guard(Reactor& reactor) {
  return [this, &reactor](RequestContext& context, BlockDevice& device) {
    return agree(context, device, *this, reactor);
  };
}

bool VgWatch::take_turn() noexcept {
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep next = next_look_.load(std::memory_order_relaxed);
  if (now < next) return false;
  const Clock::rep after = now + std::chrono::duration_cast<Clock::duration>(kLookEvery).count();
  return next_look_.compare_exchange_strong(next, after, std::memory_order_relaxed);
}

bool VgWatch::given_up() const {
  const std::lock_guard lock(mutex_);
  return given_up_.has_value();
}

void VgWatch::check_given_up() const {
  const std::lock_guard lock(mutex_);
  if (given_up_) throw Error(*given_up_);
}

Task<void> VgWatch::look(RequestContext& context, BlockDevice& device, Reactor& reactor) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    check_given_up();
    const bool done = co_await look_once(context, device, reactor);
    if (done) co_return;
  }
  throw Error(ErrorKind::kBusy, "the VG's metadata keeps changing")
      .because("another host is making, removing or resizing many volumes")
      .advise("try again when it has finished");
}

/// False if another look was quicker: then it is to be done again.
Task<bool> VgWatch::look_once(RequestContext& context, BlockDevice& device, Reactor& reactor) {
  const std::shared_ptr<const sr::Catalog> known = view_.catalog();
  const bool unchanged = co_await lvm::is_still_current(context, device, *known->vg);
  if (unchanged) co_return true;
  std::shared_ptr<const sr::Catalog> now;
  std::optional<Error> failure;
  try {
    now = co_await sr::read_current_catalog(context, device, reactor, false);
    check_later_state(*known, *now);
  } catch (const Error& error) {
    if (!is_about_the_content(error)) throw;
    failure = error;
  }
  // What another look has taken over meanwhile is what this one has to be compared with.
  if (view_.catalog() != known) co_return false;
  if (failure) give_up(*known->vg, *failure);
  const std::optional<ViewChanges> changes = view_.update(known, now);
  if (!changes) co_return false;
  if (on_revoked_ && !changes->revoked.empty()) on_revoked_();
  tell(*now, *changes);
  co_return true;
}

void VgWatch::give_up(const lvm::VolumeGroup& vg, const Error& found) {
  const Error error =
      Error(ErrorKind::kIo,
            fmt::format("the LVM metadata of VG {} changed and is no later state of it: {}",
                        vg.name, found.message()))
          .because("another host, or the array, has replaced or damaged what is on the LUN")
          .advise("nothing more is read or written; unmount, check, and mount what is there now");
  {
    const std::lock_guard lock(mutex_);
    if (given_up_) throw Error(*given_up_);
    given_up_ = error;
  }
  view_.give_up(error);
  if (on_revoked_) on_revoked_();
  log::error("{}", three_part_text(error));
  throw Error(error);
}

void VgWatch::tell(const sr::Catalog& catalog, const ViewChanges& changes) {
  changes_.fetch_add(1);
  const std::size_t lost = changes.revoked.size();
  log::info("vg={}: changed by another host (seqno {}): {} new, {} grown, {} changed or gone",
            catalog.vg->name, catalog.vg->header.seqno, changes.added, changes.grown, lost);
  for (std::size_t i = 0; i < std::min(lost, kMostLines); ++i) {
    log::warn("{}", three_part_text(changes.revoked[i]));
  }
  if (lost > kMostLines) log::warn("vg={}: and {} more", catalog.vg->name, lost - kMostLines);
}

}  // namespace lunfs::fs
