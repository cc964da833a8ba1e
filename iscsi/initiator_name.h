#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lunfs::iscsi {

/// The name that this host logs in with.
struct InitiatorName {
  std::string name;
  std::string alias;   ///< may be empty
  std::string origin;  ///< the file that it stands in, or "this machine's id"
  /// What the user should be told: that it was made just now; empty = nothing.
  std::string notice;
};

/// The first name that is stored in one of `places` (initiator_name_places()); nullopt if there is
/// none. Places behind the first that may not be read count as empty: root's file may be for root
/// alone. Errors: those of load_initiator_name().
std::optional<InitiatorName> find_initiator_name(const std::vector<std::string>& places);

/// The stored name, without an alias that cannot be sent. A host without one gets a new one, at
/// random, which is stored in the first of `places`; where nothing can be stored, the name of this
/// machine, the same one every time, stands in. Both are told in `notice`. Errors: those of
/// find_initiator_name().
InitiatorName initiator_name_of_host(const std::vector<std::string>& places);

}  // namespace lunfs::iscsi
