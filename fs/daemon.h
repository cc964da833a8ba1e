#pragma once

#include <string>
#include <vector>

namespace lunfs::fs {

/// The lunfs program.
/// @param program    argv[0]; as mount.lunfs the exit status is mount(8)'s (1 usage, 32 failed)
/// @param arguments  the rest of argv
/// @return the exit status: docs/man/lunfs.8.md
int run_program(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace lunfs::fs
