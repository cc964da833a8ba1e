#pragma once

#include <string>

namespace lunfs::iscsi {

/// The name that this host logs in with.
struct InitiatorName {
  std::string name;
  std::string origin;  ///< the file, or "this machine's id"
};

/// Reads InitiatorName= of /etc/iscsi/initiatorname.iscsi (root) or of
/// $XDG_CONFIG_HOME/lunfs/initiatorname.iscsi (others, then root's file if it may be read). Where
/// there is none, a name made from /etc/machine-id: the same one every time on one host.
/// kUsage if a file holds a name that is none.
InitiatorName initiator_name_of_host();

}  // namespace lunfs::iscsi
