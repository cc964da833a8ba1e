#pragma once

#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/login.h"

namespace lunfs::iscsi {

struct TrialLimits {
  /// How long a session is held; one that the target ends within it was thrown out.
  std::chrono::milliseconds hold{5000};
  /// Between a loss and the next login.
  std::chrono::milliseconds pause{500};
  std::chrono::milliseconds login_timeout{15000};
};

/// How a name fared with a target.
struct NameTrial {
  enum class Verdict {
    kHeld,       ///< the first session lasted
    kLostOnce,   ///< the first was ended right after its login, the next lasted
    kThrownOut,  ///< at least two were ended right after their login
    kRefused,    ///< the target did not let the name in: see `refusal`
  };
  Verdict verdict = Verdict::kHeld;
  unsigned losses = 0;
  /// Only for kThrownOut: whether a session with an ISID of its own lasted. If so, somebody logs in
  /// with this name and the ISID that was tried. If not, the target lets one session of the name
  /// in, whoever it is, or it ends every session.
  bool held_with_own_isid = false;
  /// The login that was refused, or after a loss the reason why there was no further one.
  std::optional<Error> refusal;
};

/// Logs in to `request`'s target with its ISID, or a random one, and looks whether the session
/// stays: two initiators with one name and one ISID throw each other out (RFC 7143 §6.3.5), and
/// some targets let in one session of a name only. Sends no SCSI command. Three logins with that
/// ISID and one with its own at most, so it ends within 4 x (hold + pause + login_timeout).
///
/// It takes the place of whoever is logged in with the same name and ISID: with a random one that
/// is nobody, unless the target counts names. kCancelled, kTimedOut of `context`; all else is in
/// the result.
Task<NameTrial> try_name(RequestContext& context, Reactor& reactor, ThreadPool& pool,
                         LoginRequest request, TrialLimits limits);

}  // namespace lunfs::iscsi
