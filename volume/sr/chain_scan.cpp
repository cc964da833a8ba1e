#include "volume/sr/chain_scan.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/spawn.h"
#include "volume/lvm/lv_device.h"
#include "volume/sr/byte_runs.h"
#include "volume/sr/read_faults.h"

namespace lunfs::sr {

namespace {

// A BAT has up to 4 MiB and is read in pieces: a few at a time keep a target busy.
constexpr std::size_t kBatsAtOnce = 4;

/// An image and what is below it.
struct Image {
  const lvm::LogicalVolume* lv = nullptr;
  VhdHead* head = nullptr;
  const Image* parent = nullptr;
  std::uint64_t raw_base_bytes = 0;  ///< of the raw volume that it stands on
  bool is_parent = false;
  ByteRuns stored;  ///< in it or below it; kept only while its children are scanned
};

/// All images of the plans, by their distance from the chain's bottom. An image has the same one in
/// every plan, as what is below it is the same.
class Levels {
 public:
  Levels(const lvm::VolumeGroup& vg, const std::vector<ChainPlan>& plans, VhdHeads& heads) {
    for (const ChainPlan& plan : plans) add(vg, plan, heads);
  }

  [[nodiscard]] std::size_t count() const noexcept { return levels_.size(); }

  [[nodiscard]] std::vector<Image*> at(std::size_t level) {
    std::vector<Image*> all;
    for (auto& [name, image] : levels_[level]) all.push_back(&image);
    return all;
  }

 private:
  void add(const lvm::VolumeGroup& vg, const ChainPlan& plan, VhdHeads& heads) {
    if (levels_.size() < plan.images.size()) levels_.resize(plan.images.size());
    Image* parent = nullptr;
    for (std::size_t level = 0; level < plan.images.size(); ++level) {
      const std::string& name = plan.images[plan.images.size() - 1 - level];
      const auto [place, added] = levels_[level].try_emplace(name);
      Image& image = place->second;
      if (added) {
        image.lv = vg.find(name);
        image.head = &heads.find(name)->second;
        image.parent = parent;
        if (parent == nullptr && !plan.raw_base.empty()) {
          image.raw_base_bytes = vg.find(plan.raw_base)->size_bytes;
        }
      }
      if (parent != nullptr) parent->is_parent = true;
      parent = &image;
    }
  }

  std::vector<std::map<std::string, Image>> levels_;
};

Task<ByteRuns> own_runs(RequestContext& context, BlockDevice& lun,
                        std::shared_ptr<const lvm::VolumeGroup> vg, const Image& image) {
  const vhd::ImageHead& head = *image.head->image;
  if (head.fixed()) co_return ByteRuns{{0, head.footer.size_bytes}};
  lvm::LvDevice device(lun, std::move(vg), *image.lv, true);
  const vhd::BlockSet blocks = co_await vhd::scan_bat(context, device, head);
  co_return runs_of(blocks, head.layout);
}

Task<void> scan_image(RequestContext& context, BlockDevice& lun,
                      std::shared_ptr<const lvm::VolumeGroup> vg, Image& image) {
  try {
    ByteRuns runs = co_await own_runs(context, lun, std::move(vg), image);
    const std::uint64_t size = image.head->image->footer.size_bytes;
    if (image.parent != nullptr) runs = unite(runs, image.parent->stored, size);
    if (image.raw_base_bytes > 0) runs = unite(runs, {{0, image.raw_base_bytes}}, size);
    image.head->allocated_bytes = total_bytes(runs);
    if (image.is_parent) image.stored = std::move(runs);
  } catch (const Error& error) {
    if (costs_the_mount(error)) throw;
    image.head->fault = error.message();
  }
}

}  // namespace

Task<void> scan_chains(RequestContext& context, BlockDevice& lun,
                       std::shared_ptr<const lvm::VolumeGroup> vg,
                       const std::vector<ChainPlan>& plans, VhdHeads& heads) {
  Levels levels(*vg, plans, heads);
  std::vector<Image*> parents;
  for (std::size_t level = 0; level < levels.count(); ++level) {
    const std::vector<Image*> images = levels.at(level);
    for (std::size_t done = 0; done < images.size(); done += kBatsAtOnce) {
      std::vector<Task<void>> tasks;
      for (std::size_t i = done; i < std::min(images.size(), done + kBatsAtOnce); ++i) {
        tasks.push_back(scan_image(context, lun, vg, *images[i]));
      }
      co_await when_all(std::move(tasks));
    }
    for (Image* parent : parents) ByteRuns().swap(parent->stored);
    parents = images;
  }
}

}  // namespace lunfs::sr
