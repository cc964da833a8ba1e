#pragma once

#include "tools/program.h"

namespace lunfs::tools {

/// lunfs-sr probe. Page: docs/man/lunfs-sr.8.md.
void add_sr_probe_command(Program& program);

}  // namespace lunfs::tools
