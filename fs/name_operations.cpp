#include "fs/name_operations.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/log.h"
#include "fs/xattrs.h"

namespace lunfs::fs {

namespace {

/// Names never change and attributes only through the kernel, so it may keep them.
constexpr double kKeepForSeconds = 3600.0;
/// Where another host may change the VG.
constexpr double kKeepForSecondsWhatMayChange = 1.0;
/// The size of a control file changes by itself.
constexpr double kKeepControlForSeconds = 0.0;

constexpr std::uint64_t kDot = 0;
constexpr std::uint64_t kDotDot = 1;
constexpr std::uint64_t kFirstEntry = 2;

bool is_control(const Node& node) noexcept {
  return node.kind == NodeKind::kStatus || node.kind == NodeKind::kMetrics;
}

bool may_access(const struct stat& attributes, uid_t uid, gid_t gid, int mask) noexcept {
  if (uid == 0) return true;
  unsigned bits = attributes.st_mode & 7U;
  if (uid == attributes.st_uid) {
    bits = (attributes.st_mode >> 6U) & 7U;
  } else if (gid == attributes.st_gid) {
    bits = (attributes.st_mode >> 3U) & 7U;
  }
  return (static_cast<unsigned>(mask) & ~bits & 7U) == 0;
}

void set_times(struct stat& attributes, const struct stat& from, int to_set) {
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  if ((to_set & FUSE_SET_ATTR_ATIME) != 0) attributes.st_atim = from.st_atim;
  if ((to_set & FUSE_SET_ATTR_MTIME) != 0) attributes.st_mtim = from.st_mtim;
  if ((to_set & FUSE_SET_ATTR_ATIME_NOW) != 0) attributes.st_atim = now;
  if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) attributes.st_mtim = now;
  attributes.st_ctim = now;
}

}  // namespace

NameOperations::NameOperations(View& view, OpenFiles& files, Policy policy, TextSource text_source)
    : view_(view), files_(files), policy_(policy), text_source_(std::move(text_source)) {}

double NameOperations::entry_timeout() const noexcept {
  return policy_.may_change ? kKeepForSecondsWhatMayChange : kKeepForSeconds;
}

double NameOperations::timeout_of(const Node& node) const noexcept {
  return is_control(node) ? kKeepControlForSeconds : entry_timeout();
}

struct stat NameOperations::attributes_of(const Node& node) const {
  struct stat attributes = node.attributes;
  if (is_control(node)) {
    attributes.st_size = static_cast<off_t>(text_source_(node.kind).size());
  }
  return attributes;
}

fuse_entry_param NameOperations::entry_of(Node& node) const {
  fuse_entry_param entry{};
  entry.ino = node.inode;
  entry.attr = attributes_of(node);
  entry.attr_timeout = timeout_of(node);
  entry.entry_timeout = entry_timeout();
  return entry;
}

void NameOperations::lookup(Reply reply, std::uint64_t parent, std::string_view name) {
  const auto lock = view_.lock();
  Node* directory = view_.find(parent);
  if (directory == nullptr || !directory->is_directory()) return reply.error(ENOTDIR);
  Node* node = View::child(*directory, name);
  if (node == nullptr) return reply.error(ENOENT);
  reply.entry(entry_of(*node));
}

void NameOperations::getattr(Reply reply, std::uint64_t inode) {
  const auto lock = view_.lock();
  Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  reply.attributes(attributes_of(*node), timeout_of(*node));
}

int NameOperations::resize_errno(const Node& node, std::uint64_t size_bytes) const {
  if (!node.has_bytes()) return EPERM;
  const auto current = static_cast<std::uint64_t>(node.attributes.st_size);
  if (size_bytes == current) return 0;
  if (size_bytes < current) {
    log::warn("vdi={}: not shrunk from {} to {} bytes: a disk keeps its size", node.name(), current,
              size_bytes);
    return EPERM;
  }
  log::warn("vdi={}: not grown from {} to {} bytes: resizing is not available yet", node.name(),
            current, size_bytes);
  return EOPNOTSUPP;
}

void NameOperations::setattr(Reply reply, std::uint64_t inode, const NewAttributes& wanted) {
  const struct stat& attributes = wanted.values;
  const int to_set = wanted.to_set;
  const auto lock = view_.lock();
  Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  if ((to_set & FUSE_SET_ATTR_SIZE) != 0) {
    const int failure = resize_errno(*node, static_cast<std::uint64_t>(attributes.st_size));
    if (failure != 0) return reply.error(failure);
    // Who took the file for empty and sets its end has skipped a last run of zeros.
    if (wanted.handle) {
      files_.at(*wanted.handle).reached(static_cast<std::uint64_t>(attributes.st_size));
    }
  }
  struct stat& own = node->attributes;
  if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
    own.st_mode = (own.st_mode & S_IFMT) | (attributes.st_mode & 0777U);
  }
  if ((to_set & FUSE_SET_ATTR_UID) != 0) own.st_uid = attributes.st_uid;
  if ((to_set & FUSE_SET_ATTR_GID) != 0) own.st_gid = attributes.st_gid;
  set_times(own, attributes, to_set);
  reply.attributes(attributes_of(*node), timeout_of(*node));
}

void NameOperations::readlink(Reply reply, std::uint64_t inode) {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  if (node == nullptr || node->kind != NodeKind::kLink) return reply.error(EINVAL);
  reply.link(node->target);
}

bool NameOperations::is_control_file(std::uint64_t inode) {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  return node != nullptr && is_control(*node);
}

void NameOperations::open(Reply reply, std::uint64_t inode, int flags) {
  const auto lock = view_.lock();
  Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  if (node->is_directory()) return reply.error(EISDIR);
  // The kernel looks the name up again after ESTALE: there may be another disk of it.
  if (node->revocation.done()) return reply.error(node->lv == nullptr ? ESTALE : EIO);
  const bool writing = (flags & O_ACCMODE) != O_RDONLY;
  auto file = std::make_unique<OpenFile>(policy_.barrier->shards());
  file->node = node;
  file->writable = writing;
  if (is_control(*node)) {
    // The kernel has checked the modes; this guards the text if it ever does not.
    if (writing || !may_access(node->attributes, reply.caller(), node->attributes.st_gid, R_OK)) {
      return reply.error(EACCES);
    }
    file->text = std::make_shared<const std::string>(text_source_(node->kind));
    return reply.opened(files_.add(std::move(file)), FOPEN_DIRECT_IO);
  }
  if (writing && !node->read_only_reason.empty()) {
    log::warn("vdi={}: not opened for writing: {}", node->name(), node->read_only_reason);
    return reply.error(EROFS);
  }
  // An open sees what was written before it: hosts write into the tables of VHDs that they use.
  ++node->opens;
  file->losses_known = policy_.barrier->losses();
  // A disk keeps its size and its content; see Truncation.
  if (writing && (flags & O_TRUNC) != 0) file->truncation = node->truncation.take();
  const bool direct =
      policy_.direct_always || (flags & O_DIRECT) != 0 || node->kind == NodeKind::kLvBytes;
  reply.opened(files_.add(std::move(file)),
               direct ? FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES : 0U);
}

void NameOperations::release(Reply reply, std::uint64_t handle) {
  files_.remove(handle);
  reply.ok();
}

void NameOperations::opendir(Reply reply, std::uint64_t inode) {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  if (node == nullptr || !node->is_directory()) return reply.error(ENOTDIR);
  reply.opened(0, FOPEN_KEEP_CACHE);
}

std::size_t NameOperations::put_entry(fuse_req_t request, std::span<char> out,
                                      const Node::Entry& entry, std::uint64_t next,
                                      bool plus) const {
  const auto offset = static_cast<off_t>(next);
  if (!plus) {
    return fuse_add_direntry(request, out.data(), out.size(), entry.name.c_str(),
                             &entry.node->attributes, offset);
  }
  fuse_entry_param parameters{};
  if (entry.name == "." || entry.name == "..") {
    parameters.attr = entry.node->attributes;  // ino 0: the kernel counts no lookup for these
  } else {
    parameters = entry_of(*entry.node);
  }
  return fuse_add_direntry_plus(request, out.data(), out.size(), entry.name.c_str(), &parameters,
                                offset);
}

void NameOperations::readdir(Reply reply, std::uint64_t inode, std::size_t room, std::uint64_t from,
                             bool plus) {
  const auto lock = view_.lock();
  Node* directory = view_.find(inode);
  if (directory == nullptr || !directory->is_directory()) return reply.error(ENOTDIR);
  std::vector<char> out(std::min<std::size_t>(room, 1U << 20));
  std::size_t used = 0;
  const std::uint64_t end = kFirstEntry + directory->entries.size();
  for (std::uint64_t at = from; at < end; ++at) {
    Node::Entry dots;
    if (at < kFirstEntry) {
      dots.name = at == kDot ? "." : "..";
      dots.node = at == kDotDot ? view_.find(directory->parent->inode) : directory;
    }
    const Node::Entry& entry = at < kFirstEntry ? dots : directory->entries[at - kFirstEntry];
    if (!entry.listed) continue;
    const std::span<char> left = std::span(out).subspan(used);
    const std::size_t needed = put_entry(reply.request(), left, entry, at + 1, plus);
    if (needed > left.size()) break;
    used += needed;
  }
  reply.text({out.data(), used});
}

void NameOperations::statfs(Reply reply) {
  constexpr unsigned long kUnit = 4096;
  const std::shared_ptr<const sr::Catalog> catalog = view_.catalog();
  const lvm::VolumeGroup& vg = *catalog->vg;
  struct statvfs space {};
  space.f_bsize = kPreferredIoBytes;
  space.f_frsize = kUnit;
  space.f_blocks = vg.extent_count * vg.extent_bytes / kUnit;
  space.f_bfree = vg.free_extent_count * vg.extent_bytes / kUnit;
  space.f_bavail = space.f_bfree;
  space.f_files = catalog->volumes.size();
  space.f_namemax = 255;
  reply.space(space);
}

void NameOperations::access(Reply reply, std::uint64_t inode, int mask) {
  const fuse_ctx* caller = fuse_req_ctx(reply.request());
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  reply.error(may_access(node->attributes, caller->uid, caller->gid, mask) ? 0 : EACCES);
}

void NameOperations::getxattr(Reply reply, std::uint64_t inode, std::string_view name,
                              std::size_t room) {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  for (const auto& [known, value] : xattrs_of(*node)) {
    if (known == name) return reply.sized(value, room);
  }
  // ls asks for ACLs and labels of each file, unless it hears of one that there are none at all.
  reply.error(name.starts_with("user.") ? ENODATA : EOPNOTSUPP);
}

void NameOperations::listxattr(Reply reply, std::uint64_t inode, std::size_t room) {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  if (node == nullptr) return reply.error(ENOENT);
  std::string names;
  for (const auto& [name, value] : xattrs_of(*node)) names += name + '\0';
  reply.sized(names, room);
}

bool NameOperations::is_disk(std::uint64_t inode) const {
  const auto lock = view_.lock();
  const Node* node = view_.find(inode);
  return node != nullptr && node->has_bytes();
}

void NameOperations::refuse_change(Reply reply, std::string_view what, std::string_view name) {
  const std::shared_ptr<const sr::Catalog> catalog = view_.catalog();
  const std::string& reason = catalog->read_only_reason;
  if (!reason.empty()) {
    log::warn("{} '{}' refused: {}", what, name, reason);
    return reply.error(EROFS);
  }
  log::warn("{} '{}' refused: not available yet in this version", what, name);
  reply.error(EOPNOTSUPP);
}

}  // namespace lunfs::fs
