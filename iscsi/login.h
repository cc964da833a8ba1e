#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/connection.h"
#include "iscsi/lun_url.h"

namespace lunfs::iscsi {

/// What a login is about; for the login itself and for the texts of its errors.
struct LoginRequest {
  PortalAddress portal;  ///< as the user named it
  ConnectionOptions connection;
  std::string credentials_source;  ///< may be empty
  /// How long one address may take to accept the TCP connection; the context's deadline counts too.
  std::chrono::milliseconds connect_limit = std::chrono::hours(1);
  bool quiet = false;                    ///< success is told at the debug level: one of many tries
  std::function<void()> on_connected{};  ///< a TCP connection stands; may be empty
};

/// Resolves the portal, connects to the first of its addresses that accepts, logs in, and follows
/// up to four redirections (each a new connection, under the same rules).
///
/// Errors, with cause and remedy: see refused_login() and open_lun().
Task<std::unique_ptr<Connection>> log_in(RequestContext& context, Reactor& reactor,
                                         ThreadPool& pool, const LoginRequest& request);

/// The Error for a login that the target refused with `status` (Status-Class << 8 | Status-Detail):
/// names the user, one-way or mutual, and the initiator name to allow; never a secret. kAuth,
/// kNotFound (unknown target), kBusy, kUnsupported, kUnreachable. Source: RFC 7143 §11.13.5.
Error refused_login(const LoginRequest& request, std::uint16_t status);

/// Adds to `error` of kind kAuth what refused_login() would say of credentials and access list.
Error with_login_advice(const LoginRequest& request, Error error);

}  // namespace lunfs::iscsi
