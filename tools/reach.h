#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "iscsi/login_identity.h"
#include "tools/table.h"

namespace CLI {
class App;
}

namespace lunfs::tools {

/// How a tool gets at a target: the options that several commands share.
struct ReachOptions {
  std::optional<std::string> credentials;
  std::optional<std::string> initiator;
  unsigned timeout_s = 60;  ///< for what it says in --help

  [[nodiscard]] std::chrono::seconds timeout() const { return std::chrono::seconds(timeout_s); }
  /// kUsage for an initiator that is no name.
  [[nodiscard]] iscsi::IdentityOptions identity() const;
};

/// Declares --credentials, --initiator and --timeout; the default of `options` is shown.
/// @param timeout_text  what the time is for
void add_reach_options(CLI::App& app, ReachOptions& options, const std::string& timeout_text);

/// What `text` names.
enum class SourceKind {
  kUrl,    ///< iscsi://...
  kMount,  ///< the mount point of a running lunfs
  kPath,   ///< an image of a LUN, or a block device
};
struct NamedSource {
  SourceKind kind = SourceKind::kPath;
  std::string name;  ///< the URL, the mount point as the mount table has it, or the path
};
/// Looks at the mount table; a mount itself is not touched. kUsage for a directory that is no
/// mount; kTimedOut if the file system that a path lies on does not answer within `limit`.
[[nodiscard]] NamedSource name_source(const std::string& text, std::chrono::seconds limit);

/// Everything that a LUN and what it holds tell: the object of docs/control.md. A mount is asked by
/// its control socket; anything else is opened and read, never written. `notice` gets what the user
/// should be told of the initiator's name.
///
/// Errors: those of host::ask_mount_for_status(), iscsi::open_lun(), FileDevice::open(),
/// sr::read_current_catalog(); kTimedOut when the options' time is over.
[[nodiscard]] Json read_document(const NamedSource& source, const ReachOptions& options,
                                 std::string& notice);

}  // namespace lunfs::tools
