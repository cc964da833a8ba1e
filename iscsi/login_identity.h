#pragma once

#include <optional>
#include <string>
#include <vector>

#include "iscsi/credentials.h"
#include "iscsi/initiator_name.h"
#include "iscsi/login.h"
#include "iscsi/lun_url.h"
#include "iscsi/open_lun.h"

namespace lunfs::iscsi {

/// What a user may say about who lunfs is to a target; without a word it is looked up.
struct IdentityOptions {
  std::optional<std::string> credentials;  ///< file, which must exist then
  std::optional<std::string> initiator;    ///< a checked name
};

/// Who lunfs is to targets: the initiator's name and the credentials that were found. The name is
/// looked up when it is first needed, as that may make one and store it: not for words that are
/// wrong. Whatever asks for it has the errors of initiator_name_of_host().
class LoginIdentity {
 public:
  /// Reads the credentials. Errors: those of Credentials::load(); kNotFound only for a file that
  /// the options name.
  static LoginIdentity find(const IdentityOptions& options);

  [[nodiscard]] const std::string& initiator() { return name().name; }
  /// What a user should be told of the name; empty = nothing.
  [[nodiscard]] const std::string& notice() { return name().notice; }
  /// A login that fails is what a new name is most likely to meet: the error with the notice.
  [[nodiscard]] Error with_notice(const Error& error);

  /// How to open the LUN. kAuth if the URL names a user whose secret was not found; kUsage if it
  /// names another user than the credentials.
  [[nodiscard]] LunOptions lun_options(LunUrl url);
  /// How to log in to a target of a portal.
  [[nodiscard]] LoginRequest login_request(const PortalAddress& portal, const Iqn& target);
  /// How to log in for discovery.
  [[nodiscard]] LoginRequest discovery_request(const PortalAddress& portal);

 private:
  const InitiatorName& name();
  /// For error texts: the file, or every place that has none.
  [[nodiscard]] std::string source() const;
  [[nodiscard]] LoginRequest request(const PortalAddress& portal, std::optional<Iqn> target,
                                     Chap chap);

  std::optional<InitiatorName> name_;
  Credentials credentials_;
  std::vector<std::string> searched_;
  std::string found_in_;  ///< the file; empty if there was none
};

}  // namespace lunfs::iscsi
