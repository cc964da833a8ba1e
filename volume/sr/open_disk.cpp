#include "volume/sr/open_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "volume/lvm/lv_device.h"

namespace lunfs::sr {

namespace {

const lvm::LogicalVolume& mapped_lv(const lvm::VolumeGroup& vg, const std::string& name) {
  const lvm::LogicalVolume* lv = vg.find(name);
  if (lv != nullptr && lv->map != nullptr) return *lv;
  throw Error(ErrorKind::kInternal, fmt::format("opening a disk: {} is not mapped", name));
}

const vhd::ImageHead& head_of(const VhdHeads& heads, const std::string& name) {
  const auto found = heads.find(name);
  if (found != heads.end() && found->second.image) return *found->second.image;
  throw Error(ErrorKind::kInternal, fmt::format("opening a disk: the head of {} is missing", name));
}

std::shared_ptr<const vhd::Image> open_image(BlockDevice& lun,
                                             const std::shared_ptr<const lvm::VolumeGroup>& vg,
                                             const lvm::LogicalVolume& lv,
                                             const vhd::ImageHead& head,
                                             vhd::MetadataCache& cache) {
  auto image = std::make_shared<vhd::Image>();
  image->lv = std::make_unique<lvm::LvDevice>(lun, vg, lv, true);
  image->head = head;
  image->number = cache.new_image();
  return image;
}

}  // namespace

std::shared_ptr<const vhd::Image> OpenImages::open(
    BlockDevice& lun, const std::shared_ptr<const lvm::VolumeGroup>& vg,
    const lvm::LogicalVolume& lv, const vhd::ImageHead& head, vhd::MetadataCache& cache) {
  Key key{vg->header.text_offset, vg->header.text_crc, vg->header.seqno, lv.name, head.fingerprint};
  if (const auto found = open_.find(key); found != open_.end()) {
    if (auto image = found->second.lock()) return image;
  }
  std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
  auto image = open_image(lun, vg, lv, head, cache);
  open_.emplace(std::move(key), image);
  return image;
}

std::size_t OpenImages::count() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      open_.begin(), open_.end(), [](const auto& entry) { return !entry.second.expired(); }));
}

std::unique_ptr<BlockDevice> open_disk(const Medium& medium,
                                       const std::shared_ptr<const lvm::VolumeGroup>& vg,
                                       const DiskSource& source, bool read_only) {
  const ChainPlan& plan = source.plan;
  if (!plan.readable() || (plan.images.empty() && plan.raw_base.empty())) {
    throw Error(ErrorKind::kInternal, "opening a disk that cannot be read");
  }
  std::unique_ptr<BlockDevice> raw;
  if (!plan.raw_base.empty()) {
    const bool changes_refused = read_only || !plan.images.empty();
    raw = std::make_unique<lvm::LvDevice>(medium.lun, vg, mapped_lv(*vg, plan.raw_base),
                                          changes_refused);
  }
  if (plan.images.empty()) return raw;
  std::vector<std::shared_ptr<const vhd::Image>> images;
  for (const std::string& name : plan.images) {
    const lvm::LogicalVolume& lv = mapped_lv(*vg, name);
    const vhd::ImageHead& head = head_of(*source.heads, name);
    // A host may be writing into the leaf: whoever opens the disk anew sees its tables as they are
    // now. The others are bases, which nobody changes within one state of the VG.
    images.push_back(images.empty() ? open_image(medium.lun, vg, lv, head, medium.cache)
                                    : medium.images.open(medium.lun, vg, lv, head, medium.cache));
  }
  return std::make_unique<vhd::Chain>(medium.reactor, medium.cache, std::move(images),
                                      std::move(raw));
}

}  // namespace lunfs::sr
