#pragma once

#include <cstdio>
#include <string_view>

#include "base/error.h"

/// What the programs say to who started them.
namespace lunfs {

/// Writes `text` to a standard stream and flushes. It may hold names from a hostile LUN or target:
/// the terminal gets no control characters of theirs, line ends and tabs apart (log::printable()).
/// @return false if it could not be written (a full disk, a closed pipe).
bool print(std::FILE* stream, std::string_view text) noexcept;

/// Inside a catch block: what was caught as an Error, whatever it is. What is no Error is a bug and
/// says so.
[[nodiscard]] Error current_error();

}  // namespace lunfs
