#pragma once

#include <istream>

#include "tools/program.h"

namespace lunfs::tools {

/// The command check of lunfs-iqn. Page: docs/man/lunfs-iqn.8.md.
/// @param input  what `-` stands for; outlives the program
void add_iqn_check_command(Program& program, std::istream& input);

}  // namespace lunfs::tools
