#pragma once

#include <functional>

#include "tools/name_uses.h"
#include "tools/program.h"

namespace lunfs::tools {

/// The command verify of lunfs-iqn. Page: docs/man/lunfs-iqn.8.md.
/// @param sources  where sessions of this host are looked for; called only for a chosen ISID
void add_iqn_verify_command(Program& program, std::function<NameUseSources()> sources);

}  // namespace lunfs::tools
