#pragma once

struct iscsi_context;

namespace lunfs::iscsi {

struct ConnectionOptions;

/// A context of libiscsi's for one session, set up but not connected, with names and secrets in it
/// and libiscsi's own reconnect switched off. To be freed by iscsi_destroy_context(). kInternal if
/// libiscsi gives none.
iscsi_context* new_context(const ConnectionOptions& options);

/// libiscsi keeps names and secrets in the context and has no call to forget them; but it copies
/// new ones over the old. To be called when no login will come any more.
void overwrite_secrets(iscsi_context* context) noexcept;

}  // namespace lunfs::iscsi
