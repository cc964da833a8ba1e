#include "iscsi/login_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "iscsi/initiator_name.h"

namespace lunfs::iscsi {

LoginIdentity LoginIdentity::find(const IdentityOptions& options) {
  LoginIdentity identity;
  if (options.initiator) {
    identity.initiator_ = *options.initiator;
  } else {
    InitiatorName name = initiator_name_of_host();
    log::debug("initiator={} from {}", name.name, name.origin);
    identity.initiator_ = std::move(name.name);
  }
  identity.searched_ = credential_places(options.credentials);
  for (const std::string& place : identity.searched_) {
    try {
      identity.credentials_ = Credentials::load(place);
      identity.found_in_ = place;
      break;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound || options.credentials) throw;
    }
  }
  return identity;
}

std::string LoginIdentity::source() const {
  return found_in_.empty() ? fmt::format("none in {}", fmt::join(searched_, ", ")) : found_in_;
}

LunOptions LoginIdentity::lun_options(LunUrl url) const {
  LunOptions options{.url = std::move(url), .initiator_name = initiator_};
  const LunUrl& at = options.url;
  options.chap = credentials_.for_login(at.target, at.portal, at.user);
  options.discovery_chap = credentials_.for_discovery(at.portal);
  options.credentials_source = source();
  if (at.user && !options.chap.offered()) {
    throw Error(ErrorKind::kAuth, fmt::format("no secret found for user '{}'", *at.user))
        .because(fmt::format("searched {}", fmt::join(searched_, ", ")))
        .advise("write the secret into one of these files (mode 0600), lunfs-credentials(5)");
  }
  return options;
}

LoginRequest LoginIdentity::login_request(const PortalAddress& portal, const Iqn& target) const {
  return {
      portal, {initiator_, target, credentials_.for_login(target, portal, std::nullopt)}, source()};
}

LoginRequest LoginIdentity::discovery_request(const PortalAddress& portal) const {
  return {portal, {initiator_, std::nullopt, credentials_.for_discovery(portal)}, source()};
}

}  // namespace lunfs::iscsi
