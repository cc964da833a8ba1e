#pragma once

#include "tools/program.h"

namespace lunfs::tools {

/// lunfs-vdi list and info. Page: docs/man/lunfs-vdi.8.md.
void add_vdi_commands(Program& program);

}  // namespace lunfs::tools
