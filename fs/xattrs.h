#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fs/view.h"

namespace lunfs::fs {

/// The user.lunfs.* xattrs of a node, name and value: uuid, name (the label), lv, kind, segments.
std::vector<std::pair<std::string, std::string>> xattrs_of(const Node& node);

}  // namespace lunfs::fs
