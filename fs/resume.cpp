#include "fs/resume.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::fs {

namespace {

Task<std::optional<Error>> look(RequestContext& context, BlockDevice& device,
                                std::shared_ptr<const lvm::VolumeGroup> vg) {
  const bool unchanged = co_await lvm::is_still_current(context, device, *vg);
  if (unchanged) co_return std::nullopt;
  co_return Error(
      ErrorKind::kIo,
      fmt::format("the LVM metadata of VG {} changed while the session was lost", vg->name))
      .because("another host, or the array, has changed or replaced what is on the LUN")
      .advise("nothing more was read or written; unmount, check, and mount what is there now");
}

}  // namespace

iscsi::ResumeGuard unless_changed(std::shared_ptr<const lvm::VolumeGroup> vg) {
  return [vg = std::move(vg)](RequestContext& context, BlockDevice& device) {
    return look(context, device, vg);
  };
}

}  // namespace lunfs::fs
