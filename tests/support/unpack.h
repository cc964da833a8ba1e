#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lunfs::testing {

/// The content of the .xz file `path`, unpacked by xz(1). Throws std::runtime_error if xz fails.
std::vector<std::byte> unpack(const std::string& path);

/// Unpacks the .xz file `path` into the new file `destination`, sparse: runs of zeros are holes.
void unpack_to_file(const std::string& path, const std::string& destination);

}  // namespace lunfs::testing
