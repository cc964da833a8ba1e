#include "fs/view.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace lunfs::fs {

namespace {

constexpr std::uint64_t kRootInode = 1;
constexpr std::uint64_t kSectorBytes = 512;  // the unit of st_blocks
constexpr std::uint64_t kLeastAllocatedBytes = 4096;

std::uint64_t inode_for(NodeKind kind, std::string_view identity) {
  const std::string key = fmt::format("{}:{}", static_cast<int>(kind), identity);
  return XXH3_64bits(key.data(), key.size());
}

void set_size(struct stat& attributes, std::uint64_t size_bytes, std::uint64_t allocated_bytes) {
  attributes.st_size = static_cast<off_t>(size_bytes);
  attributes.st_blocks = static_cast<blkcnt_t>((allocated_bytes + kSectorBytes - 1) / kSectorBytes);
}

}  // namespace

std::string_view Node::name() const noexcept {
  if (volume != nullptr) return volume->file_name;
  return lv != nullptr ? std::string_view(lv->name) : std::string_view();
}

View::View(std::shared_ptr<const sr::Catalog> catalog, Ownership ownership,
           const std::string& read_only_reason)
    : catalog_(std::move(catalog)), ownership_(ownership) {
  clock_gettime(CLOCK_REALTIME, &mounted_at_);
  root_ = &add(NodeKind::kDirectory, "", S_IFDIR | 0777);
  root_->parent = root_;
  add_volumes(read_only_reason);
  Node& control = add_directory(*root_, ".lunfs", false);
  Node& by_name = add_directory(control, "by-name", true);
  add_links(by_name);
  Node& lv = add_directory(control, "lv", true);
  add_lv_bytes(lv);
  enter(control, "status.json", add(NodeKind::kStatus, "status.json", S_IFREG | 0444));
  enter(control, "metrics", add(NodeKind::kMetrics, "metrics", S_IFREG | 0444));
  for (Node* directory : {root_, &control, &by_name, &lv}) index(*directory);
}

Node& View::add(NodeKind kind, std::string_view identity, mode_t mode) {
  std::uint64_t inode = root_ == nullptr ? kRootInode : inode_for(kind, identity);
  // 0 and 1 mean something to the kernel; a number that is taken (2^-64) moves on by one.
  while (root_ != nullptr && (inode <= kRootInode || nodes_.contains(inode))) ++inode;
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->inode = inode;
  struct stat& attributes = node->attributes;
  attributes.st_ino = inode;
  attributes.st_mode = S_ISLNK(mode) ? mode : mode & ~ownership_.umask;
  attributes.st_nlink = S_ISDIR(mode) ? 2 : 1;
  attributes.st_uid = ownership_.uid;
  attributes.st_gid = ownership_.gid;
  attributes.st_blksize = kPreferredIoBytes;
  attributes.st_atim = attributes.st_mtim = attributes.st_ctim = mounted_at_;
  return *nodes_.emplace(inode, std::move(node)).first->second;
}

Node& View::add_directory(Node& parent, std::string name, bool listed) {
  Node& node = add(NodeKind::kDirectory, name, S_IFDIR | 0777);
  node.parent = &parent;
  ++parent.attributes.st_nlink;
  enter(parent, std::move(name), node, listed);
  return node;
}

void View::give_bytes(Node& node) {
  node.disk = with_bytes_.size();
  with_bytes_.push_back(&node);
}

void View::add_volumes(const std::string& read_only_reason) {
  for (const sr::Volume& volume : catalog_->volumes) {
    const lvm::LogicalVolume* lv = catalog_->vg->find(volume.lv_name);
    if (lv == nullptr || lv->map == nullptr) continue;
    std::string reason = read_only_reason.empty() ? volume.read_only_reason : read_only_reason;
    if (reason.empty() && volume.read_only) reason = "the volume is read-only";
    const mode_t mode = reason.empty() ? 0666 : 0444;
    const std::string identity = volume.uuid ? volume.uuid->text()
                                 : lv->uuid  ? std::string(lv->uuid->compact())
                                             : volume.lv_name;
    Node& node = add(NodeKind::kVolume, identity, S_IFREG | mode);
    node.volume = &volume;
    node.lv = lv;
    node.read_only_reason = std::move(reason);
    give_bytes(node);
    // Programs take no block at all for a promise that there never is data (tar -S does). That
    // holds only where nobody can be writing.
    const std::uint64_t least = catalog_->may_change ? kLeastAllocatedBytes : 0;
    set_size(node.attributes, volume.size_bytes, std::max(volume.allocated_bytes, least));
    if (!volume.is_vhd()) by_lv_.emplace(volume.lv_name, &node);
    enter(*root_, volume.file_name, node);
  }
}

void View::add_lv_bytes(Node& directory) {
  for (const std::string& name : catalog_->lv_names) {
    if (const auto volume = by_lv_.find(name); volume != by_lv_.end()) {
      // The same inode under a second name. st_nlink stays 1: `cp -a` unlinks a target that has
      // several links before it writes, and a disk cannot be unlinked.
      enter(directory, name, *volume->second);
      continue;
    }
    const lvm::LogicalVolume* lv = catalog_->vg->find(name);
    if (lv == nullptr || lv->map == nullptr) continue;
    Node& node = add(NodeKind::kLvBytes, lv->uuid ? lv->uuid->compact() : std::string_view(name),
                     S_IFREG | 0444);
    node.lv = lv;
    node.read_only_reason = "the bytes of an LV under .lunfs/lv are for reading only";
    give_bytes(node);
    set_size(node.attributes, lv->size_bytes, lv->size_bytes);
    enter(directory, name, node);
  }
}

void View::add_links(Node& directory) {
  for (const sr::NameLink& link : catalog_->links) {
    Node& node = add(NodeKind::kLink, link.name, S_IFLNK | 0777);
    node.target = "../../" + link.file_name;
    set_size(node.attributes, node.target.size(), 0);
    enter(directory, link.name, node);
  }
}

void View::enter(Node& directory, std::string name, Node& node, bool listed) {
  directory.entries.push_back({.name = std::move(name), .node = &node, .listed = listed});
}

void View::index(Node& directory) {
  for (const Node::Entry& entry : directory.entries) {
    directory.by_name.emplace(entry.name, entry.node);
  }
}

Node* View::find(std::uint64_t inode) noexcept {
  const auto found = nodes_.find(inode);
  return found == nodes_.end() ? nullptr : found->second.get();
}

Node* View::child(const Node& directory, std::string_view name) noexcept {
  const auto found = directory.by_name.find(name);
  return found == directory.by_name.end() ? nullptr : found->second;
}

}  // namespace lunfs::fs
