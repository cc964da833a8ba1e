#include "volume/sr/mgt_reader.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "volume/lvm/lv_device.h"

namespace lunfs::sr {

namespace {

constexpr std::string_view kMgtName = "MGT";

Task<std::vector<std::byte>> read_start(RequestContext& context, BlockDevice& lv,
                                        std::uint64_t length) {
  std::vector<std::byte> bytes(std::min(length, lv.geometry().size_bytes));
  co_await lv.read(context, 0, bytes);
  co_return bytes;
}

}  // namespace

std::string mgt_absence(const lvm::VolumeGroup& vg) {
  const lvm::LogicalVolume* const mgt = vg.find(kMgtName);
  if (mgt == nullptr) return "there is no MGT volume";
  return mgt->map == nullptr ? "MGT is not mapped" : std::string();
}

Task<Mgt> read_mgt(RequestContext& context, BlockDevice& lun,
                   std::shared_ptr<const lvm::VolumeGroup> vg) {
  const lvm::LogicalVolume* const mgt = vg->find(kMgtName);
  if (mgt == nullptr) throw Error(ErrorKind::kInternal, "read_mgt() without an MGT");
  lvm::LvDevice lv(lun, std::move(vg), *mgt, true);
  const std::vector<std::byte> header = co_await read_start(context, lv, kMgtSectorBytes);
  const std::uint64_t used = parse_mgt_header(header);
  const std::uint64_t length = std::clamp(used, kMgtSectorBytes, kMgtMaxBytes);
  const std::vector<std::byte> bytes = co_await read_start(context, lv, length);
  co_return parse_mgt(bytes);
}

}  // namespace lunfs::sr
