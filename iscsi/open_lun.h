#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/thread_pool.h"
#include "iscsi/credentials.h"
#include "iscsi/lun_url.h"
#include "iscsi/retry_policy.h"

namespace lunfs::iscsi {

/// What a LUN says of itself (INQUIRY and its VPD pages, READ CAPACITY).
struct LunIdentity {
  std::string vendor;      ///< INQUIRY, padding cut
  std::string product;     ///< INQUIRY
  std::string serial;      ///< VPD 0x80; empty if there is none
  std::string designator;  ///< VPD 0x83, the best of the LUN's names, as hex or text; may be empty
  std::uint64_t size_bytes = 0;
  std::uint32_t block_size_bytes = 0;

  bool operator==(const LunIdentity&) const = default;
};

struct LunOptions {
  LunUrl url;
  std::string initiator_name;
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
  RetryLimits retries{};
};

/// What the sessions have done so far.
struct SessionStats {
  std::uint64_t commands = 0;       ///< SCSI commands sent, retries included
  std::uint64_t retries = 0;        ///< commands sent again after UNIT ATTENTION, BUSY, ...
  std::uint64_t bytes_read = 0;     ///< Data-In of commands that succeeded
  std::uint64_t bytes_written = 0;  ///< Data-Out of commands that succeeded
};

/// Whether the session is there.
struct SessionState {
  enum class Kind {
    kUp,
    kLost,     ///< being restored
    kRefused,  ///< another LUN is there now, or the ResumeGuard did not agree: for good
    kClosed,
  };
  Kind kind = Kind::kUp;
  std::uint64_t outages = 0;         ///< ever
  std::chrono::seconds lost_for{0};  ///< if not up
  std::string reason{};              ///< if not up
};

/// Asked before anything is sent over a new session. `device` goes over that session and lives for
/// the call; nothing else uses it yet. Nullopt: go on. An Error: all I/O fails with it from then
/// on. Throws when it cannot be told now: another session is tried then.
using ResumeGuard =
    std::function<Task<std::optional<Error>>(RequestContext& context, BlockDevice& device)>;

/// A session with one LUN, restored when it is lost: a byte-granular BlockDevice that the reactor's
/// turn drives. Belongs to the reactor's thread.
class LunDevice : public BlockDevice {
 public:
  [[nodiscard]] virtual const LunIdentity& identity() const noexcept = 0;
  /// host:port that the session runs to
  [[nodiscard]] virtual std::string portal_text() const = 0;
  [[nodiscard]] virtual SessionState state() const = 0;
  [[nodiscard]] bool connected() const { return state().kind == SessionState::Kind::kUp; }
  /// How often, ever, acknowledged writes that no flush had covered may have been lost with the
  /// target's cache. The next flush fails for each; who has open files tells their owners.
  [[nodiscard]] virtual std::uint64_t losses() const noexcept = 0;
  /// What `guard` refers to outlives the device, or a guard that replaces it.
  virtual void set_resume_guard(ResumeGuard guard) = 0;
  [[nodiscard]] virtual SessionStats stats() const noexcept = 0;
  /// Ends the session politely; waits for the target's answer until the context's deadline, then
  /// drops the connection. Never throws. No I/O may be in flight.
  virtual Task<void> logout(RequestContext& context) = 0;
};

/// Logs in and opens the LUN. The whole must be done within login_timeout.
///
/// Errors, each with cause and remedy: kUnreachable (refused, name not resolved), kTimedOut,
/// kAuth (names the user, one-way or mutual, and the initiator name to allow; never a secret),
/// kNotFound (unknown target or LUN: names those that can be seen), kUnsupported (block size).
/// `reactor` and `pool` (name resolution) outlive the device.
Task<std::unique_ptr<LunDevice>> open_lun(RequestContext& context, Reactor& reactor,
                                          ThreadPool& pool, LunOptions options);

}  // namespace lunfs::iscsi
