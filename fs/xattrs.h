#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fs/view.h"

namespace lunfs::fs {

/// The user.lunfs.* xattrs of a node, name and value: uuid, name (the label), lv, kind, segments,
/// allocated (bytes), snapshot_of; of a VHD chain (LV names, leaf first) and parent.
std::vector<std::pair<std::string, std::string>> xattrs_of(const Node& node);

}  // namespace lunfs::fs
