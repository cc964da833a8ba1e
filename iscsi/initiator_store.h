#pragma once

#include <optional>
#include <string>
#include <vector>

#include "iscsi/iqn.h"

namespace lunfs::iscsi {

/// What a file of the initiator's name holds (iscsi/initiator_file.h).
struct StoredName {
  Iqn name;
  std::string alias;  ///< may be empty
};

/// Where this user's name stands, in the order in which it is looked for; the first place is where
/// a new one is written. Root: /etc/iscsi/initiatorname.iscsi, which open-iscsi reads as well.
/// Others: $XDG_CONFIG_HOME/lunfs/initiatorname.iscsi (~/.config by default), then root's, if it
/// may be read.
std::vector<std::string> initiator_name_places();

/// nullopt if the file is not there or has no name. kPermission if it may not be read; kUsage, with
/// the path in front, if its name is none, or if it is no regular file or larger than 64 KiB.
std::optional<StoredName> load_initiator_name(const std::string& path);

/// Stores `name`, and `alias` if it is given (empty removes it): a file of the new content takes
/// the old one's place in one step, with its mode, owner, group and everything else that stood in
/// it. A new file gets mode 0600 and its directory is made. A link is followed. When this returns
/// the new content is on the disk; on failure the old one is untouched. Errors: those of
/// load_initiator_name() but for a name that is none, which is replaced; kPermission, kNoSpace,
/// kReadOnly, ..., kBusy if others change the file all the time.
void store_initiator_name(const std::string& path, const Iqn& name,
                          const std::optional<std::string>& alias);

/// The name that stands in `path`, or else `name`, which is then stored: of several callers at the
/// same time all get the same one. Errors as store_initiator_name() and load_initiator_name().
StoredName load_or_store_initiator_name(const std::string& path, const Iqn& name);

}  // namespace lunfs::iscsi
