#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/reactor.h"
#include "tests/support/random_chain.h"
#include "volume/vhd/chain.h"
#include "volume/vhd/metadata_cache.h"

namespace lunfs::testing {

/// How an LV is opened, for those who want to see or disturb its reads.
using LvOpener = std::function<std::unique_ptr<BlockDevice>(std::string_view lv)>;

/// Reads the heads of these images, leaf first, and joins them; no tables are read.
/// @param raw_base  empty: there is none
std::unique_ptr<vhd::Chain> open_chain(Reactor& reactor, vhd::MetadataCache& cache,
                                       const std::vector<std::string>& images,
                                       const std::string& raw_base, const LvOpener& open);

std::unique_ptr<vhd::Chain> open_chain(Reactor& reactor, vhd::MetadataCache& cache,
                                       RandomChain& chain);

}  // namespace lunfs::testing
