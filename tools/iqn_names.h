#pragma once

#include <functional>

#include "tools/name_uses.h"
#include "tools/program.h"

namespace lunfs::tools {

/// The commands show, generate and set of lunfs-iqn. Page: docs/man/lunfs-iqn.8.md.
/// @param sources  where sessions are looked for; called when a command runs
void add_iqn_name_commands(Program& program, std::function<NameUseSources()> sources);

}  // namespace lunfs::tools
