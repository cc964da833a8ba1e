#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/block_device.h"
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
  std::string initiator_alias{};
  Chap chap{};            ///< empty = no CHAP offered
  Chap discovery_chap{};  ///< for naming the targets that exist; empty = none
  /// Where `chap` came from or was looked for, as error texts may tell it; may be empty.
  std::string credentials_source{};
  std::chrono::seconds login_timeout{15};
  /// How long a command may go unanswered before the session counts as lost.
  std::chrono::seconds command_timeout{120};
  RetryLimits retries{};
};

/// What a session has done so far.
struct SessionStats {
  std::uint64_t commands = 0;       ///< SCSI commands sent, retries included
  std::uint64_t retries = 0;        ///< commands sent again after UNIT ATTENTION, BUSY, ...
  std::uint64_t bytes_read = 0;     ///< Data-In of commands that succeeded
  std::uint64_t bytes_written = 0;  ///< Data-Out of commands that succeeded
};

/// A session with one LUN: a byte-granular BlockDevice that the reactor's turn drives. Belongs to
/// the reactor's thread.
class LunDevice : public BlockDevice {
 public:
  [[nodiscard]] virtual const LunIdentity& identity() const noexcept = 0;
  /// host:port that the session runs to
  [[nodiscard]] virtual std::string portal_text() const = 0;
  /// False once the session is lost: all I/O then fails at once by kUnreachable.
  [[nodiscard]] virtual bool connected() const noexcept = 0;
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
