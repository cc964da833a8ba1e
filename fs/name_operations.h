#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fs/barrier.h"
#include "fs/open_files.h"
#include "fs/reply.h"
#include "fs/view.h"

namespace lunfs::fs {

/// The requests that memory answers: names, attributes, listings, xattrs, opens. None of them waits
/// for the LUN. Any shard's thread.
class NameOperations {
 public:
  struct Policy {
    bool direct_always = false;        ///< cache=none
    const Barrier* barrier = nullptr;  ///< of the mount's shards
    bool may_change = false;           ///< the view may get another catalog
  };
  /// Gives the text of a control file; on any shard's thread, one call at a time.
  using TextSource = std::function<std::string(NodeKind)>;

  NameOperations(View& view, OpenFiles& files, Policy policy, TextSource text_source);

  void lookup(Reply reply, std::uint64_t parent, std::string_view name);
  void getattr(Reply reply, std::uint64_t inode);
  struct NewAttributes {
    struct stat values;
    int to_set;                           ///< FUSE_SET_ATTR_* bits
    std::optional<std::uint64_t> handle;  ///< of ftruncate(2) and its like
  };
  void setattr(Reply reply, std::uint64_t inode, const NewAttributes& attributes);
  void readlink(Reply reply, std::uint64_t inode);
  void open(Reply reply, std::uint64_t inode, int flags);
  /// Whether its open() asks the TextSource.
  [[nodiscard]] bool is_control_file(std::uint64_t inode);
  void release(Reply reply, std::uint64_t handle);
  void opendir(Reply reply, std::uint64_t inode);
  void readdir(Reply reply, std::uint64_t inode, std::size_t room, std::uint64_t from, bool plus);
  void statfs(Reply reply);
  void access(Reply reply, std::uint64_t inode, int mask);
  void getxattr(Reply reply, std::uint64_t inode, std::string_view name, std::size_t room);
  void listxattr(Reply reply, std::uint64_t inode, std::size_t room);
  /// A request to create, remove or rename something: refused, with a log line.
  void refuse_change(Reply reply, std::string_view what, std::string_view name);

  /// Whether an inode is a disk: then its open is about the LUN.
  [[nodiscard]] bool is_disk(std::uint64_t inode) const;

 private:
  [[nodiscard]] double timeout_of(const Node& node) const noexcept;
  [[nodiscard]] double entry_timeout() const noexcept;
  [[nodiscard]] fuse_entry_param entry_of(Node& node) const;
  [[nodiscard]] struct stat attributes_of(const Node& node) const;
  /// errno for a change of size, 0 if it changes nothing.
  [[nodiscard]] int resize_errno(const Node& node, std::uint64_t size_bytes) const;
  std::size_t put_entry(fuse_req_t request, std::span<char> out, const Node::Entry& entry,
                        std::uint64_t next, bool plus) const;

  View& view_;  ///< its lock guards the calls of text_source_, too
  OpenFiles& files_;
  Policy policy_;
  TextSource text_source_;
};

}  // namespace lunfs::fs
