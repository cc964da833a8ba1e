#include "volume/sr/live_disk.h"

#include <fmt/format.h>

#include <utility>

#include "base/checked.h"

namespace lunfs::sr {

namespace {

constexpr std::chrono::milliseconds kPause{200};

/// The storage manager may be at work: worth another try.
bool may_pass(const Error& error) noexcept {
  switch (error.kind()) {
    case ErrorKind::kBusy:
    case ErrorKind::kCorrupt:  // half-written: a new leaf exists before its VHD is made
    case ErrorKind::kNotFound:
    case ErrorKind::kUnsupported:
      return true;
    default:
      return false;
  }
}

Task<void> look_up(RequestContext& context, BlockDevice& disk, Extent range,
                   std::vector<Extent>& out) {
  out = co_await disk.allocated(context, range.offset, range.length);
}

Error unsettled(const std::string& why) {
  return Error(ErrorKind::kIo, fmt::format("the disk cannot be read consistently: {}", why))
      .because("a pool is changing the SR")
      .advise("read again once the pool has finished; snapshots are the stable source for copies");
}

}  // namespace

LiveDisk::LiveDisk(LiveSr& sr, std::shared_ptr<const lvm::VolumeGroup> vg,
                   std::unique_ptr<BlockDevice> disk, Opener opener,
                   std::chrono::milliseconds patience)
    : sr_(sr), opener_(std::move(opener)), patience_(patience), turns_(sr.reactor()) {
  geometry_ = disk->geometry();
  geometry_.read_only = true;
  geometry_.can_unmap = false;
  geometry_.can_compare_and_write = false;
  opened_ = std::make_shared<Opened>(Opened{std::move(vg), std::move(disk)});
}

Task<void> LiveDisk::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  return consistently(context, [&context, offset, out](BlockDevice& disk) {
    return disk.read(context, offset, out);
  });
}

Task<void> LiveDisk::do_write(RequestContext& /*context*/, std::uint64_t /*offset*/,
                              ConstIoSpan /*in*/, WriteFlags /*flags*/) {
  throw Error(ErrorKind::kReadOnly, "a pool may be using this SR");
}

Task<void> LiveDisk::do_flush(RequestContext& context) { return sr_.lun().flush(context); }

Task<std::vector<Extent>> LiveDisk::do_allocated(RequestContext& context, std::uint64_t offset,
                                                 std::uint64_t length) {
  std::vector<Extent> all;
  Work work = [&](BlockDevice& disk) {
    return look_up(context, disk, {.offset = offset, .length = length}, all);
  };
  co_await consistently(context, std::move(work));
  co_return all;
}

Task<void> LiveDisk::consistently(RequestContext& context, Work work) {
  const auto give_up = RequestContext::Clock::now() + patience_;
  for (;;) {
    const std::shared_ptr<const Opened> state = co_await opened(context, give_up);
    std::optional<Error> failure;
    try {
      co_await work(*state->disk);
    } catch (const Error& error) {
      if (!may_pass(error)) throw;
      failure = error;
    }
    const bool good = co_await still_counts(context, *state);
    if (good && !failure) co_return;
    if (good && failure->kind() != ErrorKind::kBusy) throw Error(*failure);
    stale_ = stale_ || opened_ == state;
    const std::string why = failure ? failure->message() : "its LVM metadata keeps changing";
    if (RequestContext::Clock::now() >= give_up) throw unsettled(why);
  }
}

Task<bool> LiveDisk::still_counts(RequestContext& context, const Opened& opened) {
  return sr_.is_current(context, *opened.vg);
}

Task<std::shared_ptr<const LiveDisk::Opened>> LiveDisk::opened(
    RequestContext& context, RequestContext::Clock::time_point give_up) {
  if (!stale_) co_return opened_;
  RangeLock::Entry turn(turns_, RangeLock::Mode::kExclusive, 0, 1);
  if (!turn.granted()) co_await turn.wait(context);
  while (stale_) {
    const std::optional<Error> failure = co_await try_to_open(context);
    if (!failure) break;
    const auto next = RequestContext::Clock::now() + kPause;
    if (failure->kind() != ErrorKind::kBusy || next >= give_up) throw unsettled(failure->message());
    co_await sr_.reactor().sleep_until(context, next);
  }
  co_return opened_;
}

/// One try: nothing is changed when it fails. What was opened counts only if nobody has committed
/// between the reading of the VG and the end of the opening.
Task<std::optional<Error>> LiveDisk::try_to_open(RequestContext& context) {
  std::shared_ptr<const lvm::VolumeGroup> vg = co_await sr_.current(context);
  std::optional<Error> failure;
  std::unique_ptr<BlockDevice> disk;
  try {
    disk = co_await opener_(context, vg);
  } catch (const Error& error) {
    if (!may_pass(error)) throw;
    failure = error;
  }
  const bool current = co_await sr_.is_current(context, *vg);
  if (!current) co_return Error(ErrorKind::kBusy, "its LVM metadata keeps changing");
  if (failure) co_return failure;
  if (disk->geometry().size_bytes < geometry_.size_bytes) {
    co_return Error(ErrorKind::kOutOfRange,
                    fmt::format("it has shrunk from {} to {} bytes", geometry_.size_bytes,
                                disk->geometry().size_bytes));
  }
  opened_ = std::make_shared<Opened>(Opened{std::move(vg), std::move(disk)});
  stale_ = false;
  co_return std::nullopt;
}

}  // namespace lunfs::sr
