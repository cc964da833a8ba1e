#include "iscsi/login_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "iscsi/initiator_name.h"
#include "iscsi/initiator_store.h"

namespace lunfs::iscsi {

LoginIdentity LoginIdentity::find(const IdentityOptions& options) {
  LoginIdentity identity;
  if (options.initiator) identity.name_ = InitiatorName{*options.initiator, {}, "the options", {}};
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

const InitiatorName& LoginIdentity::name() {
  if (!name_) {
    name_ = initiator_name_of_host(initiator_name_places());
    log::debug("initiator={} from {}", name_->name, name_->origin);
  }
  return *name_;
}

Error LoginIdentity::with_notice(const Error& error) {
  if (notice().empty()) return error;
  return Error(error.kind(), fmt::format("{}; {}", error.message(), notice()))
      .because(error.cause())
      .advise(error.remedy());
}

std::string LoginIdentity::source() const {
  return found_in_.empty() ? fmt::format("none in {}", fmt::join(searched_, ", ")) : found_in_;
}

LunOptions LoginIdentity::lun_options(LunUrl url) {
  LunOptions options{.url = std::move(url), .initiator_name = {}};
  const LunUrl& at = options.url;
  options.chap = credentials_.for_login(at.target, at.portal, at.user);
  options.discovery_chap = credentials_.for_discovery(at.portal);
  options.credentials_source = source();
  if (at.user && !options.chap.offered()) {
    throw Error(ErrorKind::kAuth, fmt::format("no secret found for user '{}'", *at.user))
        .because(fmt::format("searched {}", fmt::join(searched_, ", ")))
        .advise("write the secret into one of these files (mode 0600), lunfs-credentials(5)");
  }
  options.initiator_name = name().name;
  options.initiator_alias = name().alias;
  return options;
}

LoginRequest LoginIdentity::request(const PortalAddress& portal, std::optional<Iqn> target,
                                    Chap chap) {
  return {portal, {name().name, std::move(target), std::move(chap), name().alias}, source()};
}

LoginRequest LoginIdentity::login_request(const PortalAddress& portal, const Iqn& target) {
  return request(portal, target, credentials_.for_login(target, portal, std::nullopt));
}

LoginRequest LoginIdentity::discovery_request(const PortalAddress& portal) {
  return request(portal, std::nullopt, credentials_.for_discovery(portal));
}

}  // namespace lunfs::iscsi
