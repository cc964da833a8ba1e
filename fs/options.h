#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "iscsi/lun_url.h"

namespace lunfs::fs {

enum class CacheMode {
  kAuto,  ///< page cache with close-to-open freshness; O_DIRECT opens bypass it
  kNone,  ///< direct I/O for every open
};

enum class Scheduling {
  kBatch,   ///< SCHED_BATCH, see schedule_as_batch()
  kNormal,  ///< as the process was started
};

/// Everything a mount is told on its command line, with the defaults. Page: docs/man/lunfs.8.md.
struct MountOptions {
  std::string source;       ///< URL or absolute path
  std::string mount_point;  ///< absolute
  bool foreground = false;  ///< -f, -d
  bool debug = false;       ///< -d

  bool read_only = false;
  bool allow_other = false;
  uid_t uid = 0;        ///< owner of all files; default: the caller
  gid_t gid = 0;        ///< group of all files; default: the caller's
  mode_t umask = 0077;  ///< taken from 0666 and 0777
  std::string fsname;   ///< shown in mount tables; empty = the source
  std::string subtype = "lunfs";
  std::vector<std::string> kernel_options;  ///< passed on as they are: nodev, noexec, ...

  bool detached = false;
  std::optional<std::string> credentials;
  std::optional<std::string> initiator;
  std::vector<iscsi::PortalAddress> portals;  ///< further paths, beside the URL's
  bool discover_portals = false;              ///< and those that the target tells
  std::chrono::seconds timeout{120};          ///< of I/O; 0 = for ever
  std::chrono::seconds path_timeout{15};
  std::chrono::seconds login_timeout{15};
  std::size_t sessions = 1;  ///< shards: threads, each with a session of its own
  CacheMode cache = CacheMode::kAuto;
  bool sync_on_close = true;
  Scheduling scheduling = Scheduling::kBatch;
  std::size_t vhd_cache_bytes = 64U << 20U;  ///< memory for the tables of VHDs
  std::size_t journal_bytes = 64U << 20U;    ///< see iscsi::LunOptions; 0: no journal

  log::Level log_level = log::Level::kInfo;
  std::optional<std::string> log_file;

  /// As nobody waits so long, it stands for "for ever".
  static constexpr std::chrono::seconds kForEver{std::chrono::hours{24 * 365}};
  /// After which a command without an answer is sent again, over a new session: half of `timeout`,
  /// so that its caller meets no error, but not less than a second; five minutes with `timeout=0`.
  [[nodiscard]] std::chrono::seconds command_timeout() const noexcept;
};

/// What the command line asks for.
struct Command {
  enum class Kind { kMount, kUnmount, kHelp, kVersion };
  Kind kind = Kind::kMount;
  MountOptions mount;
  std::string unmount_point;  ///< for kUnmount
};

/// Parses argv (without argv[0]). Relative paths are made absolute, so that a daemon may leave its
/// directory. kUsage names the word at fault.
Command parse_command(const std::vector<std::string>& arguments);

std::string help_text();

}  // namespace lunfs::fs
