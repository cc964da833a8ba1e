#pragma once

#include <string>

#include "tools/program.h"
#include "tools/table.h"

namespace lunfs::tools {

/// lunfs-sr info. Page: docs/man/lunfs-sr.8.md.
void add_sr_info_command(Program& program);

/// A document (docs/control.md) as people read it: SR, VG, LUN, session, mount, each under its
/// name.
[[nodiscard]] std::string sr_info_text(const Json& document);

}  // namespace lunfs::tools
