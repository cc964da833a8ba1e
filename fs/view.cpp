#include "fs/view.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "volume/lvm/lv_change.h"

namespace lunfs::fs {

namespace {

constexpr std::uint64_t kRootInode = 1;
constexpr std::uint64_t kSectorBytes = 512;  // the unit of st_blocks
constexpr std::uint64_t kLeastAllocatedBytes = 4096;
constexpr const char* kControl = ".lunfs";

std::uint64_t inode_for(NodeKind kind, std::string_view identity) {
  const std::string key = fmt::format("{}:{}", static_cast<int>(kind), identity);
  return XXH3_64bits(key.data(), key.size());
}

void set_size(struct stat& attributes, std::uint64_t size_bytes, std::uint64_t allocated_bytes) {
  attributes.st_size = static_cast<off_t>(size_bytes);
  attributes.st_blocks = static_cast<blkcnt_t>((allocated_bytes + kSectorBytes - 1) / kSectorBytes);
}

/// What a disk is known by when the VG has changed. An LV without a uuid is another one each time.
std::string key_of(NodeKind kind, const lvm::LogicalVolume& lv) {
  return fmt::format("{}:{}", static_cast<int>(kind),
                     lv.uuid ? lv.uuid->compact() : std::string_view());
}

/// Of a disk that is not what it was in the last catalog.
Error why_revoked(const Node& node, const lvm::VolumeGroup& vg) {
  const auto now = std::find_if(vg.volumes.begin(), vg.volumes.end(), [&](const auto& lv) {
    return lv.uuid && lv.uuid == node.lv->uuid;
  });
  const lvm::LvChange change = lvm::change_of(*node.lv, now == vg.volumes.end() ? nullptr : &*now);
  if (change.fate == lvm::LvFate::kGone) {
    return Error(ErrorKind::kIo, fmt::format("LV {} is no longer in VG {}", node.lv->name, vg.name))
        .because("another host has removed it")
        .advise("close the file; what was written to it lately may be lost");
  }
  const std::string what =
      change.what.empty() ? std::string("it may be used in another way now") : change.what;
  return Error(ErrorKind::kIo,
               fmt::format("LV {} of VG {} is not what it was: {}", node.lv->name, vg.name, what))
      .because("another host has changed it (lvreduce, pvmove, lvchange or the like)")
      .advise("close the file and open it again; what was written to it lately may be lost");
}

}  // namespace

View::View(std::shared_ptr<const sr::Catalog> catalog, Ownership ownership,
           std::string read_only_reason)
    : catalog_(std::move(catalog)),
      ownership_(ownership),
      read_only_reason_(std::move(read_only_reason)) {
  clock_gettime(CLOCK_REALTIME, &mounted_at_);
  root_ = &add(NodeKind::kDirectory, "", S_IFDIR | 0777);
  root_->parent = root_;
  control_ = &add_directory(*root_, kControl);
  Node& by_name = add_directory(*control_, "by-name");
  add_links(by_name);
  lv_ = &add_directory(*control_, "lv");
  enter(*control_, "by-name", by_name);
  enter(*control_, "lv", *lv_);
  enter(*control_, "status.json", add(NodeKind::kStatus, "status.json", S_IFREG | 0444));
  enter(*control_, "metrics", add(NodeKind::kMetrics, "metrics", S_IFREG | 0444));
  Known none;
  ViewChanges changes;
  fill(none, changes);
  index(*control_);
  index(by_name);
}

std::shared_ptr<const sr::Catalog> View::catalog() const {
  const std::lock_guard lock(current_);
  return catalog_;
}

/// Enters what the catalog has into the directories that are made from it. Takes from `known` what
/// is still there.
void View::fill(Known& known, ViewChanges& changes) {
  by_lv_.clear();
  for (Node* directory : {root_, lv_}) {
    directory->by_name.clear();
    directory->entries.clear();
  }
  add_volumes(known, changes);
  enter(*root_, kControl, *control_, false);
  add_lv_bytes(known, changes);
  index(*root_);
  index(*lv_);
}

std::optional<ViewChanges> View::update(const std::shared_ptr<const sr::Catalog>& known,
                                        std::shared_ptr<const sr::Catalog> next) {
  const std::lock_guard lock(tree_);
  if (catalog_ != known) return std::nullopt;
  Known left;
  for (Node* node : with_bytes_) {
    if (node->lv != nullptr) left.emplace(key_of(node->kind, *node->lv), node);
  }
  {
    const std::lock_guard current(current_);
    catalog_ = std::move(next);
  }
  ViewChanges changes;
  fill(left, changes);
  for (const auto& [key, node] : left) {
    const Error why = why_revoked(*node, *catalog_->vg);
    revoke(*node, why);
    changes.revoked.push_back(why);
  }
  clock_gettime(CLOCK_REALTIME, &root_->attributes.st_mtim);
  root_->attributes.st_ctim = root_->attributes.st_mtim;
  edition_.fetch_add(1, std::memory_order_release);
  return changes;
}

void View::revoke(Node& node, const Error& why) {
  node.revocation.revoke(why);
  node.volume = nullptr;
  node.lv = nullptr;
  node.catalog = nullptr;  // may be the last one that holds it
}

void View::give_up(const Error& why) {
  const std::lock_guard lock(tree_);
  for (Node* node : with_bytes_) node->revocation.revoke(why);
  edition_.fetch_add(1, std::memory_order_release);
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

Node& View::add_directory(Node& parent, std::string name) {
  Node& node = add(NodeKind::kDirectory, name, S_IFDIR | 0777);
  node.parent = &parent;
  ++parent.attributes.st_nlink;
  return node;
}

Node& View::disk(NodeKind kind, std::string_view identity, std::string read_only_reason) {
  const mode_t mode = read_only_reason.empty() ? 0666 : 0444;
  Node& node = add(kind, identity, S_IFREG | mode);
  node.read_only_reason = std::move(read_only_reason);
  node.disk = with_bytes_.size();
  with_bytes_.push_back(&node);
  return node;
}

/// The disk that there is already; null if there is none, or it is not what it was.
Node* View::take(Known& known, NodeKind kind, const lvm::LogicalVolume& lv,
                 const std::string& read_only_reason) {
  const auto found = known.find(key_of(kind, lv));
  if (found == known.end()) return nullptr;
  Node* const node = found->second;
  const lvm::LvFate fate = lvm::change_of(*node->lv, &lv).fate;
  const bool keeps = fate == lvm::LvFate::kSame || fate == lvm::LvFate::kGrown;
  if (!keeps || node->read_only_reason != read_only_reason) return nullptr;
  known.erase(found);
  return node;
}

/// Sets what the node tells of its LV.
void View::point(Node& node, const sr::Volume* volume, const lvm::LogicalVolume& lv,
                 ViewChanges& changes) const {
  const bool there = node.lv != nullptr;
  node.catalog = catalog_;
  node.volume = volume;
  node.lv = &lv;
  std::uint64_t size = lv.size_bytes;
  std::uint64_t allocated = lv.size_bytes;
  if (volume != nullptr) {
    // Programs take no block at all for a promise that there never is data (tar -S does). That
    // holds only where nobody can be writing.
    const std::uint64_t least = catalog_->may_change ? kLeastAllocatedBytes : 0;
    size = volume->size_bytes;
    allocated = std::max(volume->allocated_bytes, least);
  }
  struct stat& attributes = node.attributes;
  const bool grown = there && static_cast<std::uint64_t>(attributes.st_size) < size;
  set_size(attributes, size, allocated);
  if (!there) {
    node.label = volume != nullptr ? volume->file_name : lv.name;
    ++changes.added;
  } else if (grown) {
    clock_gettime(CLOCK_REALTIME, &attributes.st_mtim);
    attributes.st_ctim = attributes.st_mtim;
    ++changes.grown;
  }
}

void View::add_volumes(Known& known, ViewChanges& changes) {
  const std::string& of_all =
      read_only_reason_.empty() ? catalog_->read_only_reason : read_only_reason_;
  for (const sr::Volume& volume : catalog_->volumes) {
    const lvm::LogicalVolume* lv = catalog_->vg->find(volume.lv_name);
    if (lv == nullptr || lv->map == nullptr) continue;
    std::string reason = of_all.empty() ? volume.read_only_reason : of_all;
    if (reason.empty() && volume.read_only) reason = "the volume is read-only";
    const std::string identity = volume.uuid ? volume.uuid->text()
                                 : lv->uuid  ? std::string(lv->uuid->compact())
                                             : volume.lv_name;
    Node* node = take(known, NodeKind::kVolume, *lv, reason);
    if (node == nullptr) node = &disk(NodeKind::kVolume, identity, std::move(reason));
    point(*node, &volume, *lv, changes);
    if (!volume.is_vhd()) by_lv_.emplace(volume.lv_name, node);
    enter(*root_, volume.file_name, *node);
  }
}

void View::add_lv_bytes(Known& known, ViewChanges& changes) {
  for (const std::string& name : catalog_->lv_names) {
    if (const auto volume = by_lv_.find(name); volume != by_lv_.end()) {
      // The same inode under a second name. st_nlink stays 1: `cp -a` unlinks a target that has
      // several links before it writes, and a disk cannot be unlinked.
      enter(*lv_, name, *volume->second);
      continue;
    }
    const lvm::LogicalVolume* lv = catalog_->vg->find(name);
    if (lv == nullptr || lv->map == nullptr) continue;
    const std::string reason = "the bytes of an LV under .lunfs/lv are for reading only";
    Node* node = take(known, NodeKind::kLvBytes, *lv, reason);
    if (node == nullptr) {
      const std::string_view identity = lv->uuid ? lv->uuid->compact() : std::string_view(name);
      node = &disk(NodeKind::kLvBytes, identity, reason);
    }
    point(*node, nullptr, *lv, changes);
    enter(*lv_, name, *node);
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
