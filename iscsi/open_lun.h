#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/file_device.h"
#include "base/reactor.h"
#include "base/thread_pool.h"
#include "iscsi/credentials.h"
#include "iscsi/lun_features.h"
#include "iscsi/lun_url.h"
#include "iscsi/paths.h"
#include "iscsi/retry_policy.h"
#include "iscsi/session_facts.h"
#include "iscsi/shared_lun.h"

namespace lunfs::iscsi {

struct LunOptions {
  LunUrl url;
  std::string initiator_name;
  std::string initiator_alias{};
  Chap chap{};            ///< empty = no CHAP offered
  Chap discovery_chap{};  ///< for naming the targets that exist; empty = none
  /// Where `chap` came from or was looked for, as error texts may tell it; may be empty.
  std::string credentials_source{};
  std::chrono::seconds login_timeout{15};
  /// How long a command may go unanswered before the session counts as lost.
  std::chrono::seconds command_timeout{120};
  /// How long a command waits for its answer while sessions are lost and restored.
  std::chrono::seconds outage_limit{120};
  std::chrono::seconds keep_alive{5};  ///< see ConnectionOptions
  /// Further ways to the same target, beside the URL's; doubles are dropped, 16 are used at most.
  std::vector<PortalAddress> portals{};
  bool discover_portals = false;  ///< and those that the target tells (SendTargets)
  std::size_t first_path = 0;     ///< where the first login begins, modulo their number
  /// With several paths: after how long a silence a path is given up for another.
  std::chrono::seconds path_timeout{15};
  /// What the LUN must be; none: whatever stands there.
  std::optional<LunIdentity> expected{};
  RetryLimits retries{};
  /// With kReadOnly no command that changes the LUN can be sent.
  Access access = Access::kReadWrite;
  /// Memory for what is acknowledged and not flushed, which is written again when a lost session is
  /// restored; 0: none is kept. Only for a LUN that nobody else writes to, another session of this
  /// program neither: it could write a newer state of the same blocks meanwhile.
  std::size_t journal_bytes = 0;
  /// Where sessions of other threads use the LUN as well; null: no other does.
  std::shared_ptr<SharedLun> shared{};
};

/// A LUN and its session, which is restored when it is lost where open_lun() opened it: a
/// byte-granular BlockDevice that the reactor's turn drives. Belongs to the reactor's thread.
class LunDevice : public BlockDevice {
 public:
  [[nodiscard]] virtual const LunFeatures& features() const noexcept = 0;
  [[nodiscard]] const LunIdentity& identity() const noexcept { return features().identity; }
  [[nodiscard]] virtual SessionNames names() const = 0;
  /// host:port that the session runs to
  [[nodiscard]] std::string portal_text() const { return names().portal; }
  [[nodiscard]] virtual SessionState state() const = 0;
  [[nodiscard]] bool connected() const { return state().kind == SessionState::Kind::kUp; }
  /// The ways to it; empty if none are kept in view.
  [[nodiscard]] virtual std::vector<PathReport> paths() const = 0;
  [[nodiscard]] virtual SessionStats stats() const noexcept = 0;
  /// How often, ever, acknowledged writes that no flush had covered may have been lost with the
  /// target's cache, and could not be written again. The next flush fails for each; who has open
  /// files tells their owners. Any thread.
  [[nodiscard]] virtual std::uint64_t losses() const noexcept = 0;
  /// The target has told that an acknowledged write failed later: no flush succeeds any more. Any
  /// thread.
  [[nodiscard]] virtual bool failed_late() const noexcept = 0;
  /// Of its own thread.
  [[nodiscard]] virtual JournalStats journal() const noexcept = 0;
  /// What is kept to be written again after an outage is forgotten: its blocks may be somebody
  /// else's now. Of its own thread, also from within the ResumeGuard.
  virtual void forget_unflushed(const std::string& why) = 0;
  /// What `guard` refers to outlives the device, or a guard that replaces it.
  virtual void set_resume_guard(ResumeGuard guard) = 0;
  /// Ends the session politely; waits for the target's answer until the context's deadline, then
  /// drops the connection. Never throws. No I/O may be in flight.
  virtual Task<void> logout(RequestContext& context) = 0;
};

/// Logs in, over the first path that works, and opens the LUN. The whole must be done within
/// login_timeout.
///
/// Errors, each with cause and remedy: kUnreachable (refused, name not resolved), kTimedOut,
/// kAuth (names the user, one-way or mutual, and the initiator name to allow; never a secret),
/// kNotFound (unknown target or LUN: names those that can be seen), kUnsupported (block size).
/// `reactor` and `pool` (name resolution) outlive the device.
Task<std::unique_ptr<LunDevice>> open_lun(RequestContext& context, Reactor& reactor,
                                          ThreadPool& pool, LunOptions options);

}  // namespace lunfs::iscsi
