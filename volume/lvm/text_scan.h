#pragma once

#include <cstddef>
#include <string_view>

namespace lunfs::lvm {

/// Deepest nesting of sections that is read; lvm2 writes 5 levels.
inline constexpr std::size_t kMaxTextDepth = 16;

/// Looks over a VG's text before libdevmapper's parser may see it, token by token as that parser
/// cuts them, and throws on what the parser takes wrongly or cannot survive: nesting deeper than
/// kMaxTextDepth and '/' in keys (either exhausts its stack), a NUL, a text that ends inside a
/// section or string (cut short), numbers that it reads in another base or as 0. Pure.
///
/// Errors: kCorrupt, with the byte's position in the text.
/// Source: docs/formats/lvm-metadata.md, text.
void check_text(std::string_view text);

}  // namespace lunfs::lvm
