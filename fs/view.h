#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/request_context.h"
#include "fs/truncation.h"
#include "volume/sr/catalog.h"

namespace lunfs::fs {

enum class NodeKind {
  kDirectory,
  kVolume,   ///< a file of the root: a VDI, or an LV of a plain VG
  kLvBytes,  ///< .lunfs/lv/<name> of an LV whose bytes no file in the root has; read-only
  kLink,     ///< .lunfs/by-name/<label>.raw
  kStatus,   ///< .lunfs/status.json
  kMetrics,  ///< .lunfs/metrics
};

/// One inode of the mount. Constant are the kind, the inode, the label, the disk's place and the
/// reason; what says so is for any thread; View::lock() guards the rest.
struct Node {
  struct Entry {
    std::string name;
    Node* node = nullptr;
    bool listed = true;  ///< false: reachable by name only, as .lunfs is
  };

  NodeKind kind = NodeKind::kDirectory;
  std::uint64_t inode = 0;
  struct stat attributes {};  ///< what getattr tells; chmod, chown and utimens change it in memory
  const Node* parent = nullptr;  ///< of a directory

  std::vector<Entry> entries;                           ///< of a directory, in listing order
  std::unordered_map<std::string_view, Node*> by_name;  ///< keys share `entries`

  std::string target;                          ///< of a link
  std::shared_ptr<const sr::Catalog> catalog;  ///< where the next two live
  const sr::Volume* volume = nullptr;          ///< of kVolume
  const lvm::LogicalVolume* lv = nullptr;      ///< of kVolume and kLvBytes
  static constexpr std::size_t kNoDisk = SIZE_MAX;
  std::size_t disk = kNoDisk;  ///< of kVolume and kLvBytes: its place in a DiskTable
  /// Of kVolume and kLvBytes: done when its LV has become another one or is gone. Any thread.
  Revocation revocation;
  std::atomic<std::uint64_t> opens{0};  ///< how often it was opened; any thread
  TruncationPlace truncation;           ///< while a handle with O_TRUNC is open
  std::string read_only_reason;         ///< of kVolume: why it cannot be written; empty if it can

  [[nodiscard]] bool is_directory() const noexcept { return kind == NodeKind::kDirectory; }
  [[nodiscard]] bool has_bytes() const noexcept { return disk != kNoDisk; }
  /// What users knew it by when it appeared; of kVolume and kLvBytes, else empty.
  [[nodiscard]] const std::string& name() const noexcept { return label; }
  std::string label;
};

/// Who owns the files and what everybody may do with them.
struct Ownership {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0077;
};

/// What a new state of the VG did to the files.
struct ViewChanges {
  std::size_t added = 0;
  std::size_t grown = 0;
  /// Of each disk that is not what it was, or is gone: what its handles fail by from now on.
  std::vector<Error> revoked;
};

/// The tree of the mount, built from the catalog, found by inode number or by name. When the VG of
/// a plain layout has changed, it becomes the tree of the new catalog: a disk whose LV is the same
/// keeps its inode, whatever it is called now; of another one the inode stays for those who have it
/// open, without a name, and its requests fail.
///
/// Inode numbers are XXH3 of (kind, uuid or name), so that a disk has the same one in every mount.
/// Nodes live as long as the view, so that a handle always has one: a few hundred bytes for each LV
/// that was removed while it was mounted.
///
/// Any thread, with lock() held for all but what says otherwise.
class View {
 public:
  /// @param read_only_reason  if not empty, every volume refuses writes for it
  View(std::shared_ptr<const sr::Catalog> catalog, Ownership ownership,
       std::string read_only_reason);
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(tree_); }

  /// The state of the VG that counts. Needs no lock().
  [[nodiscard]] std::shared_ptr<const sr::Catalog> catalog() const;
  /// Counts the catalogs. Needs no lock().
  [[nodiscard]] std::uint64_t edition() const noexcept {
    return edition_.load(std::memory_order_acquire);
  }
  /// Takes the place of `known`; of the same VG, both plain. Nullopt, and nothing has changed, if
  /// that is not the catalog any more. Takes the lock().
  std::optional<ViewChanges> update(const std::shared_ptr<const sr::Catalog>& known,
                                    std::shared_ptr<const sr::Catalog> next);
  /// Nobody knows any more whose bytes are where: every request for a disk fails by `why`. Names
  /// and attributes stay. Takes the lock().
  void give_up(const Error& why);

  [[nodiscard]] Node& root() noexcept { return *root_; }

  /// The nodes that have bytes, by Node::disk; those that were revoked, too.
  [[nodiscard]] const std::vector<Node*>& with_bytes() const noexcept { return with_bytes_; }

  /// Null if there is none.
  [[nodiscard]] Node* find(std::uint64_t inode) noexcept;
  /// Null if the directory has no such name.
  [[nodiscard]] static Node* child(const Node& directory, std::string_view name) noexcept;

 private:
  /// Disks of the last catalog that were not met in the new one yet.
  using Known = std::unordered_map<std::string, Node*>;

  Node& add(NodeKind kind, std::string_view identity, mode_t mode);
  Node& add_directory(Node& parent, std::string name);
  void fill(Known& known, ViewChanges& changes);
  void add_volumes(Known& known, ViewChanges& changes);
  void add_lv_bytes(Known& known, ViewChanges& changes);
  Node& disk(NodeKind kind, std::string_view identity, std::string read_only_reason);
  Node* take(Known& known, NodeKind kind, const lvm::LogicalVolume& lv,
             const std::string& read_only_reason);
  void point(Node& node, const sr::Volume* volume, const lvm::LogicalVolume& lv,
             ViewChanges& changes) const;
  void add_links(Node& directory);
  static void revoke(Node& node, const Error& why);
  static void enter(Node& directory, std::string name, Node& node, bool listed = true);
  static void index(Node& directory);

  mutable std::mutex tree_;
  mutable std::mutex current_;  ///< taken last; guards the next
  std::shared_ptr<const sr::Catalog> catalog_;
  std::atomic<std::uint64_t> edition_ = 0;
  const Ownership ownership_;
  const std::string read_only_reason_;
  struct timespec mounted_at_ {};
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  /// Volumes by LV name, of those whose bytes are the LV's.
  std::unordered_map<std::string_view, Node*> by_lv_;
  std::vector<Node*> with_bytes_;
  Node* root_ = nullptr;
  Node* control_ = nullptr;
  Node* lv_ = nullptr;
};

/// st_blksize of every file: cp and its like then ask in pieces of 1 MiB.
constexpr std::uint32_t kPreferredIoBytes = 1 << 20;

}  // namespace lunfs::fs
