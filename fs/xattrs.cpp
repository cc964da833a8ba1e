#include "fs/xattrs.h"

#include <fmt/format.h>

namespace lunfs::fs {

namespace {

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

}  // namespace

std::vector<std::pair<std::string, std::string>> xattrs_of(const Node& node) {
  std::vector<std::pair<std::string, std::string>> all;
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
  return all;
}

}  // namespace lunfs::fs
