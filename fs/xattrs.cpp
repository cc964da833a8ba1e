#include "fs/xattrs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lunfs::fs {

namespace {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// "le+count@pe[,pe...]" a segment, separated by blanks; extents.
std::string segments_text(const lvm::LogicalVolume& lv) {
  std::string text;
  for (const lvm::Segment& segment : lv.map->segments()) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}+{}@", segment.start_le, segment.extent_count);
    for (std::size_t i = 0; i < segment.stripes.size(); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : ",", segment.stripes[i].first_pe);
    }
  }
  return text;
}

/// What the disk stands on and how much of it is stored.
void add_storage(const sr::Volume& volume, Xattrs& all) {
  all.emplace_back("user.lunfs.allocated", std::to_string(volume.allocated_bytes));
  if (volume.snapshot_of) all.emplace_back("user.lunfs.snapshot_of", volume.snapshot_of->text());
  if (!volume.is_vhd()) return;
  const sr::ChainPlan& plan = volume.disk->plan;
  all.emplace_back("user.lunfs.chain", fmt::format("{}", fmt::join(plan.members(), " ")));
  if (const std::string parent = plan.parent(); !parent.empty()) {
    all.emplace_back("user.lunfs.parent", parent);
  }
}

}  // namespace

Xattrs xattrs_of(const Node& node) {
  Xattrs all;
  if (node.lv == nullptr) return all;
  all.emplace_back("user.lunfs.lv", node.lv->name);
  all.emplace_back("user.lunfs.segments", segments_text(*node.lv));
  if (node.volume == nullptr) {
    all.emplace_back("user.lunfs.kind", "bytes");
    return all;
  }
  all.emplace_back("user.lunfs.kind", node.volume->kind);
  if (node.volume->uuid) all.emplace_back("user.lunfs.uuid", node.volume->uuid->text());
  if (!node.volume->label.empty()) all.emplace_back("user.lunfs.name", node.volume->label);
  add_storage(*node.volume, all);
  return all;
}

}  // namespace lunfs::fs
