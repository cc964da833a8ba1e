#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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

/// One inode of the mount.
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

  std::string target;                      ///< of a link
  const sr::Volume* volume = nullptr;      ///< of kVolume; lives in the catalog
  const lvm::LogicalVolume* lv = nullptr;  ///< of kVolume and kLvBytes; lives in the VG
  static constexpr std::size_t kNoDisk = SIZE_MAX;
  std::size_t disk = kNoDisk;           ///< of kVolume and kLvBytes: its place in a DiskTable
  std::atomic<std::uint64_t> opens{0};  ///< how often it was opened; any thread
  TruncationPlace truncation;           ///< while a handle with O_TRUNC is open
  std::string read_only_reason;         ///< of kVolume: why it cannot be written; empty if it can

  [[nodiscard]] bool is_directory() const noexcept { return kind == NodeKind::kDirectory; }
  [[nodiscard]] bool has_bytes() const noexcept { return disk != kNoDisk; }
  /// What users know it by; of kVolume and kLvBytes, else empty.
  [[nodiscard]] std::string_view name() const noexcept;
};

/// Who owns the files and what everybody may do with them.
struct Ownership {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0077;
};

/// The tree of the mount: built once from the catalog, found by inode number or by name. Names and
/// inodes never change afterwards, so that any thread may look them up. Attributes do change: they
/// belong to NameOperations.
///
/// Inode numbers are XXH3 of (kind, uuid or name), so that a disk has the same one in every mount.
class View {
 public:
  /// @param read_only_reason  if not empty, every volume refuses writes for it
  View(std::shared_ptr<const sr::Catalog> catalog, Ownership ownership,
       const std::string& read_only_reason);

  [[nodiscard]] const sr::Catalog& catalog() const noexcept { return *catalog_; }
  [[nodiscard]] Node& root() noexcept { return *root_; }

  /// The nodes that have bytes, by Node::disk.
  [[nodiscard]] const std::vector<const Node*>& with_bytes() const noexcept { return with_bytes_; }

  /// Null if there is none.
  [[nodiscard]] Node* find(std::uint64_t inode) noexcept;
  /// Null if the directory has no such name.
  [[nodiscard]] static Node* child(const Node& directory, std::string_view name) noexcept;

 private:
  Node& add(NodeKind kind, std::string_view identity, mode_t mode);
  Node& add_directory(Node& parent, std::string name, bool listed);
  void add_volumes(const std::string& read_only_reason);
  void add_lv_bytes(Node& directory);
  void give_bytes(Node& node);
  void add_links(Node& directory);
  static void enter(Node& directory, std::string name, Node& node, bool listed = true);
  static void index(Node& directory);

  std::shared_ptr<const sr::Catalog> catalog_;
  Ownership ownership_;
  struct timespec mounted_at_ {};
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  /// Volumes by LV name, of those whose bytes are the LV's.
  std::unordered_map<std::string_view, Node*> by_lv_;
  std::vector<const Node*> with_bytes_;
  Node* root_ = nullptr;
};

/// st_blksize of every file: cp and its like then ask in pieces of 1 MiB.
constexpr std::uint32_t kPreferredIoBytes = 1 << 20;

}  // namespace lunfs::fs
