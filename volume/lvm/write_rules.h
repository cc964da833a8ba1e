#pragma once

#include <string>
#include <vector>

#include "volume/lvm/text_tree.h"

namespace lunfs::lvm {

/// The marks in a VG's text that forbid somebody who is not its host to write, a sentence each;
/// empty = lunfs may write. `vg` and `pv` are their sections.
/// Errors: kCorrupt for a status or flags that is no list of strings.
/// Source: docs/formats/lvm-metadata.md, foreign writers.
[[nodiscard]] std::vector<std::string> write_refusals(const TextSection& vg, const TextSection& pv);

}  // namespace lunfs::lvm
